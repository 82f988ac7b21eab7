//! Threads that stand back.

/// This thread takes the processor only where no other wants it, or nearly so: on Linux a thread of lowest priority has a 68th of the weight
/// of an ordinary one. Elsewhere, and where the system refuses, it is as others are.
pub fn lowest() {
    // To Linux niceness is a thread's own, and no process id is the calling thread.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::warn!(%error, "a thread for labs stays with ordinary priority");
    }
}

/// The niceness of this thread.
#[cfg(all(test, target_os = "linux"))]
pub fn present() -> i32 {
    rustix::process::getpriority_process(None).expect("this thread is there")
}
