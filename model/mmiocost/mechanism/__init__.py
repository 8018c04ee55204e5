"""What KVM and the CPU do: a reference machine that executes accesses and counts events."""
