//! What this process costs the machine, as the operating system tells it.

use std::time::Instant;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::model::WorkerMetrics;

/// Looks at this process. CPU is measured between one look and the next.
pub struct Probe {
    system: System,
    pid: Pid,
    started: Instant,
}

impl Probe {
    pub fn new(started: Instant) -> Self {
        let mut probe = Self { system: System::new(), pid: Pid::from_u32(std::process::id()), started };
        probe.refresh();
        probe
    }

    fn refresh(&mut self) {
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), false, what);
    }

    pub fn look(&mut self, nets: usize) -> WorkerMetrics {
        self.refresh();
        let process = self.system.process(self.pid);
        WorkerMetrics {
            cpu_percent: process.map_or(0.0, sysinfo::Process::cpu_usage),
            memory_bytes: process.map_or(0, sysinfo::Process::memory),
            uptime_s: self.started.elapsed().as_secs(),
            nets: nets as u32,
        }
    }
}
