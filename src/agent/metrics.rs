//! What the machine does and has, as its operating system tells it. Cheap: it goes with every heartbeat.

use crate::model::HostMetrics;
use rustix::fs::statvfs;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};
use tokio::{sync::watch, time::MissedTickBehavior};

/// Looks at this machine. CPU is measured between one look and the next.
pub struct Probe {
    system: System,
    disk: PathBuf,
}

impl Probe {
    pub fn new(disk: PathBuf) -> Probe {
        let what = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_cpu_usage())
            .with_memory(MemoryRefreshKind::everything());
        Probe { system: System::new_with_specifics(what), disk }
    }

    pub fn look(&mut self) -> HostMetrics {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let load = System::load_average();
        let (disk_used, disk_total) = room(&self.disk).unwrap_or_default();
        let cpu = self.system.global_cpu_usage();
        HostMetrics {
            // No number would make the whole frame unreadable: JSON has none that is not one.
            cpu_percent: if cpu.is_finite() { cpu.clamp(0.0, 100.0) } else { 0.0 },
            ram_used: self.system.used_memory(),
            ram_total: self.system.total_memory(),
            swap_used: self.system.used_swap(),
            swap_total: self.system.total_swap(),
            disk_used,
            disk_total,
            load: [load.one, load.five, load.fifteen].map(|load| load as f32),
            uptime_s: System::uptime(),
            reboot_needed: reboot_needed(Path::new("/")),
        }
    }
}

/// Bytes used and in all, of the file system that holds this path. As `df` counts: what is kept for root is neither free nor used.
fn room(path: &Path) -> Option<(u64, u64)> {
    let found = statvfs(path).ok()?;
    let used = found.f_blocks.saturating_sub(found.f_bfree);
    Some((used * found.f_frsize, (used + found.f_bavail) * found.f_frsize))
}

/// Debian and its kin leave a file; NixOS has booted another kernel, its modules or its initial RAM disk than the system now has.
fn reboot_needed(root: &Path) -> bool {
    let differs = |part: &str| {
        let of = |system: &str| fs::canonicalize(root.join("run").join(system).join(part)).ok();
        of("booted-system").zip(of("current-system")).is_some_and(|(booted, current)| booted != current)
    };
    ["run/reboot-required", "var/run/reboot-required"].iter().any(|file| root.join(file).exists())
        || ["kernel", "kernel-modules", "initrd"].into_iter().any(differs)
}

/// Looks every `every`, for as long as somebody listens. A look that hangs (a dead network file system) leaves no figures behind: no
/// heartbeat is better than an old one.
pub async fn measure(mut probe: Probe, every: Duration, figures: watch::Sender<Option<HostMetrics>>) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let look = tokio::task::spawn_blocking(move || {
            let metrics = probe.look();
            (probe, metrics)
        });
        let Ok((back, metrics)) = look.await else {
            tracing::error!("the machine's figures cannot be taken any more; its heartbeat stops");
            return;
        };
        probe = back;
        if figures.send(Some(metrics)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_figures_are_of_a_machine_that_is_there() {
        let figures = Probe::new("/".into()).look();
        assert!(figures.ram_total >= figures.ram_used && figures.ram_used > 0, "{figures:?}");
        assert!(figures.disk_total >= figures.disk_used && figures.disk_used > 0, "{figures:?}");
        assert!((0.0..=100.0).contains(&figures.cpu_percent) && figures.uptime_s > 0, "{figures:?}");
        let unknown = Probe::new("/no/such/place".into()).look();
        assert_eq!((unknown.disk_used, unknown.disk_total), (0, 0));
    }

    #[test]
    fn a_reboot_is_needed_where_the_system_says_so() {
        let root = tempfile::tempdir().unwrap();
        assert!(!reboot_needed(root.path()));
        for (system, kernel) in [("booted-system", "a"), ("current-system", "a")] {
            fs::create_dir_all(root.path().join("run").join(system)).unwrap();
            fs::write(root.path().join(kernel), "").unwrap();
            symlink(root.path().join(kernel), root.path().join("run").join(system).join("kernel")).unwrap();
        }
        assert!(!reboot_needed(root.path()), "the same kernel");
        let current = root.path().join("run/current-system/kernel");
        fs::remove_file(&current).unwrap();
        fs::write(root.path().join("b"), "").unwrap();
        symlink(root.path().join("b"), &current).unwrap();
        assert!(reboot_needed(root.path()), "another kernel");

        let debian = tempfile::tempdir().unwrap();
        fs::create_dir(debian.path().join("run")).unwrap();
        fs::write(debian.path().join("run/reboot-required"), "").unwrap();
        assert!(reboot_needed(debian.path()));
    }
}
