"""What a guest's MMIO access costs under KVM, and where caching "this gfn is MMIO" pays off."""

__version__ = "0.1.0"
