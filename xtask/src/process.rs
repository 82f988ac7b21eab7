//! Starting other programs: their output passes through, and a failure names the command.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// Runs `command` to its end; anything but success is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", name(command)))?;
    succeeded(command, status)
}

/// Runs `command` and returns what it printed, trimmed; its errors are kept out of sight.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", name(command)))?;
    succeeded(command, out.status)?;
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Runs `command`, shows its output as it comes and hands every line of both streams to `read`. Returns how it ended.
pub fn watch(command: &mut Command, mut read: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", name(command)))?;
    let (send, lines) = std::sync::mpsc::channel();
    let stdout = pump(child.stdout.take(), send.clone());
    let stderr = pump(child.stderr.take(), send);
    for line in lines {
        println!("{line}");
        read(&line);
    }
    for reader in [stdout, stderr] {
        reader.join().ok();
    }
    std::io::stdout().flush().ok();
    Ok(child.wait()?)
}

fn pump(
    from: Option<impl Read + Send + 'static>,
    to: std::sync::mpsc::Sender<String>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let Some(from) = from else { return };
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while matches!(from.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            to.send(String::from_utf8_lossy(&line).trim_end().to_owned()).ok();
            line.clear();
        }
    })
}

pub fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` ended with {status}", name(command));
    }
    Ok(())
}

/// The program and its first arguments: enough to know it again.
pub fn name(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or_default().to_string_lossy().into_owned()];
    words.extend(command.get_args().take(4).map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}
