"""Commands that record what can be imported, printed by ``import --help`` and by every refusal."""

from __future__ import annotations

_EVENTS = (
    "kvm:kvm_exit", "kvm:kvm_entry", "kvm:kvm_mmio", "kvm:kvm_fast_mmio", "kvm:kvm_pio", "kvm:kvm_userspace_exit",
    "kvm:kvm_page_fault", "kvmmmu:handle_mmio_page_fault", "kvmmmu:mark_mmio_spte", "kvmmmu:check_mmio_spte",
)  # fmt: skip
_MORE = ("kvm:vcpu_match_mmio", "kvmmmu:kvm_mmu_get_page")

HOST = r"""host (once per boot, beside every recording):
  (uname -r; lscpu | grep -E 'Model name|MHz'; grep . /sys/module/kvm/parameters/mmio_caching \
     /sys/module/kvm_*/parameters/{ept,npt} /sys/devices/system/cpu/vulnerabilities/*) > host.txt 2>/dev/null"""
PERF_SCRIPT = f"""perf record, perf script (says most; leave out events that `perf list 'kvm*:*'` does not show):
  perf record -o vm.data -c 1 -m 4096 -p PID -e '{",".join((*_EVENTS, *_MORE))}' -- sleep 10
  perf script -i vm.data --ns --show-lost-events -F comm,pid,tid,cpu,time,event,trace > vm.perf.txt"""
PERF_KVM_STAT = """perf kvm stat (kernel 3.7 on; pass --window 10 to import):
  perf kvm stat record -o vm.data -p PID -- sleep 10
  perf kvm -i vm.data stat report --event vmexit --stdio > vm.exits.txt
  perf kvm -i vm.data stat report --event mmio --stdio > vm.mmio.txt
  perf kvm -i vm.data stat report --event ioport --stdio > vm.ports.txt
  perf script -i vm.data --ns --show-lost-events > vm.perf.txt"""
TRACE_CMD = f"""trace-cmd:
  trace-cmd record -C mono -b 20480 {" ".join(f"-e {event}" for event in _EVENTS)} sleep 10
  trace-cmd report -t > vm.tracecmd.txt"""
FTRACE = f"""ftrace, without any tool:
  cd /sys/kernel/tracing && echo 0 > tracing_on && echo nop > current_tracer && echo > trace && echo mono > trace_clock
  echo 16384 > buffer_size_kb; for e in {" ".join(event.replace(":", "/") for event in _EVENTS)}
  do echo 1 > events/$e/enable; done; echo 1 > tracing_on; sleep 10; echo 0 > tracing_on
  cat trace > ~/vm.ftrace.txt; echo 0 > events/enable"""
COUNTERS = """kvm_stat and debugfs (counters only; for debugfs pass --window 60 to import):
  timeout 60 kvm_stat -d -t -l -s 1 -c > vm.kvmstat.csv
  grep -r . /sys/kernel/debug/kvm > a.txt; sleep 60; grep -r . /sys/kernel/debug/kvm > b.txt"""
VMEXIT = """kvm-unit-tests vmexit (the cost of single paths; in a kvm-unit-tests tree, five times):
  ./configure && make && ./x86/run ./x86/vmexit.flat -smp 2 -cpu host > vm.vmexit.txt"""
WORKLOADS = """netperf (a change of a workload, never a cost by itself):
  netperf -t TCP_RR -H HOST -l 60 -i 10,3 -I 99,5 -c -C > vm.netperf.txt"""

ALL = "\n".join((
    "How to record (PID is the virtual machine's process; ten seconds of a steady load are plenty; most need root):",
    HOST, PERF_SCRIPT, PERF_KVM_STAT, TRACE_CMD, FTRACE, COUNTERS, VMEXIT, WORKLOADS,
))  # fmt: skip
