//! Commands: what they say arrives whole and in order, and each ends.

use super::{
    console::{Connection, Console, Heard, Log, ran, within},
    host::Host,
};
use muster::{
    agent::protocol::{FromAgent, ToAgent},
    model::{CommandId, Outcome},
    process::ProcessId,
};
use std::{fs, time::Instant};
use uuid::Uuid;

/// A configuration of commands that are scripts of this test.
pub fn scripts(scripts: &[(&str, &str)]) -> String {
    let one = |(name, script): &(&str, &str)| {
        format!("[commands.{name}]\nargv = [\"sh\", \"-c\", '''{script}''']\ncwd = \"$HOST\"\n")
    };
    scripts.iter().map(one).collect()
}

#[tokio::test]
async fn a_hundred_thousand_lines_arrive_in_order_after_three_cuts() {
    let mut console = Console::start().await;
    let _host = Host::start(&console, &scripts(&[("test", "seq 1 100000")]));
    let (mut connection, _) = console.welcome().await;
    let mut log = Log::of(connection.run("test").await);
    for cut_at in [1, 150_000, 400_000] {
        log.until(&mut connection, "some output", |log| log.end >= cut_at).await;
        drop(connection);
        let (next, register) = console.welcome().await;
        assert_eq!(register.holds.len(), 1);
        assert_eq!(register.holds[0].command_id, log.command_id);
        connection = next;
    }
    assert_eq!(log.finish(&mut connection).await, Outcome::Exited { code: 0 });
    let expected: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    assert!(log.bytes == expected.as_bytes(), "{} bytes of {}", log.bytes.len(), expected.len());
    assert_eq!((log.gaps, log.started), (0, 4), "it is said on each connection that it runs");
}

#[tokio::test]
async fn what_nobody_stores_is_sent_again_and_the_end_is_said_until_it_is_settled() {
    let mut console = Console::start().await;
    let host = Host::start(&console, &scripts(&[("test", "echo said; exit 3")]));
    let (mut connection, _) = console.welcome().await;
    let command = connection.run("test").await;
    for _ in 0..2 {
        let said = connection.until("output", |heard| match heard {
            Heard::Output { offset: 0, bytes, .. } => Some(bytes),
            _ => None,
        });
        assert_eq!(said.await, b"said\n");
        connection.until("the end", finished).await;
        drop(connection);
        connection = console.welcome().await.0;
    }
    let mut log = Log::of(command);
    assert_eq!(log.finish(&mut connection).await, Outcome::Exited { code: 3 });
    within("forgetting", async {
        while !host.held().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;

    // Known and over: a console that says it again gets nothing, and the next one runs.
    connection.run_as(command, "test").await;
    let (next, _) = ran(&mut connection, "test").await;
    assert_eq!(next.text(), "said\n");
    drop(connection);
    assert!(console.welcome().await.1.holds.is_empty());
}

fn finished(heard: Heard) -> Option<Outcome> {
    match heard {
        Heard::Said(FromAgent::Finished { outcome, .. }) => Some(outcome),
        _ => None,
    }
}

#[tokio::test]
async fn what_the_host_does_not_allow_is_refused() {
    let mut console = Console::start().await;
    let config = scripts(&[("wait", "echo 1; exec sleep 600"), ("test", "true")])
        + "[commands.gone]\nargv = [\"no-such-program\"]\n[commands.nowhere]\nargv = [\"true\"]\ncwd = \"$HOST/nowhere\"\n";
    let _host = Host::start(&console, &config);
    let (mut connection, _) = console.welcome().await;
    for (kind, why) in [
        ("unknown", "This host has no command unknown"),
        ("gone", "Its program no-such-program is not there, or may not be run"),
    ] {
        let command = connection.run(kind).await;
        assert_eq!(connection.refusal(command).await, why);
    }
    let nowhere = connection.run("nowhere").await;
    assert!(connection.refusal(nowhere).await.starts_with("Its folder "));

    let mut waiting = Log::of(connection.run("wait").await);
    waiting.until(&mut connection, "its first word", |log| log.end > 0).await;
    let second = connection.run("test").await;
    assert_eq!(connection.refusal(second).await, "This host is still running wait");
    // The same again is no second one: neither begun nor refused.
    connection.run_as(waiting.command_id, "wait").await;
    connection.say(ToAgent::Cancel { command_id: CommandId(Uuid::new_v4()) }).await;
    connection.say(ToAgent::Cancel { command_id: waiting.command_id }).await;
    assert_eq!(waiting.finish(&mut connection).await, Outcome::Cancelled);
    assert_eq!((waiting.text().as_str(), waiting.started), ("1\n", 1));
    assert_eq!(ran(&mut connection, "test").await.1, Outcome::Exited { code: 0 });
}

#[tokio::test]
async fn cancel_ends_the_whole_group_also_one_that_does_not_listen() {
    let mut console = Console::start().await;
    let stubborn =
        "trap '' TERM; (trap '' TERM; echo $$ > group; exec sleep 600) & echo here; wait; sleep 600";
    let host =
        Host::start(&console, &scripts(&[("polite", "echo here; exec sleep 600"), ("stubborn", stubborn)]));
    let (mut connection, _) = console.welcome().await;
    for kind in ["polite", "stubborn"] {
        let mut log = Log::of(connection.run(kind).await);
        log.until(&mut connection, "its first word", |log| log.end > 0).await;
        let child =
            fs::read_to_string(host.path(&format!("state/commands/{}/child", log.command_id))).unwrap();
        let child: ProcessId = child.parse().unwrap();
        let asked = Instant::now();
        connection.say(ToAgent::Cancel { command_id: log.command_id }).await;
        assert_eq!(log.finish(&mut connection).await, Outcome::Cancelled);
        assert!(!child.is_alive(), "{kind}");
        assert!(kind == "polite" || asked.elapsed().as_secs() >= 5, "SIGKILL comes after 5 s");
    }
}

#[tokio::test]
async fn time_is_over_for_what_takes_too_long() {
    let mut console = Console::start().await;
    let config =
        "[commands.slow]\nargv = [\"sh\", \"-c\", \"echo begun; exec sleep 600\"]\ntimeout = \"1 s\"\n";
    let _host = Host::start(&console, config);
    let (mut connection, _) = console.welcome().await;
    let (log, outcome) = ran(&mut connection, "slow").await;
    assert_eq!((log.text().as_str(), outcome), ("begun\n", Outcome::TimedOut));
}

#[tokio::test]
async fn every_way_to_end_is_told_as_it_was() {
    let mut console = Console::start().await;
    let config = scripts(&[
        ("silent", "exit 7"),
        ("shot", "kill -SEGV $$"),
        ("binary", r"printf '\377\000\376\033[1m\r\n'; printf err >&2"),
        ("daemon", "sleep 600 & echo done"),
    ]) + "[commands.garbage]\nargv = [\"$HOST/garbage\"]\n[commands.context]\nargv = [\"sh\", \"-c\", 'echo $A; pwd; cat']\n\
          cwd = \"/usr\"\nenv = { A = \"b c; $(d)\" }\n";
    let mut host = Host::new(&console, &config);
    fs::write(host.path("garbage"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(host.path("garbage"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    host.start_agent();
    let (mut connection, _) = console.welcome().await;

    let (log, outcome) = ran(&mut connection, "silent").await;
    assert_eq!((log.bytes.len(), outcome), (0, Outcome::Exited { code: 7 }));
    assert_eq!(ran(&mut connection, "shot").await.1, Outcome::Signalled { signal: 11 });
    let (log, outcome) = ran(&mut connection, "binary").await;
    assert_eq!(
        (log.bytes.as_slice(), outcome),
        (b"\xff\x00\xfe\x1b[1m\r\nerr".as_slice(), Outcome::Exited { code: 0 })
    );
    let (log, outcome) = ran(&mut connection, "context").await;
    assert_eq!((log.text().as_str(), outcome), ("b c; $(d)\n/usr\n", Outcome::Exited { code: 0 }));
    let (log, outcome) = ran(&mut connection, "garbage").await;
    let reason = log.finished.unwrap().1.unwrap();
    assert!(outcome == Outcome::Failed && reason.contains("could not be started"), "{outcome:?}: {reason}");
    // What it leaves behind holds its output open; the command is over all the same.
    let (log, outcome) = ran(&mut connection, "daemon").await;
    assert_eq!((log.text().as_str(), outcome), ("done\n", Outcome::Exited { code: 0 }));
}

/// Bytes of memory that a process had at most.
fn peak_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
    peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

#[tokio::test]
async fn a_line_of_a_gigabyte_fits_into_a_small_memory() {
    const LINE: u64 = 1 << 30;
    let mut console = Console::start().await;
    let config =
        "[commands.line]\nargv = [\"head\", \"-c\", \"1073741824\", \"/dev/zero\"]\nmax_output = \"8 MiB\"\n";
    let host = Host::start(&console, config);
    let (mut connection, _) = console.welcome().await;
    let mut log = Log::counting(connection.run("line").await);
    assert_eq!(log.finish(&mut connection).await, Outcome::Exited { code: 0 });
    assert_eq!((log.end, log.kept + log.gaps), (LINE, LINE), "every byte is accounted for");
    assert!(log.kept >= 8 << 20, "what fits is kept: {}", log.kept);
    let peak = peak_memory(host.agent_pid());
    assert!(peak < 100 << 20, "the agent took {} MiB", peak >> 20);
}

#[tokio::test]
async fn output_that_nobody_stores_stops_at_the_window_and_goes_on_from_there() {
    let mut console = Console::start().await;
    let host = Host::start(&console, &scripts(&[("test", "head -c 8000000 /dev/zero")]));
    let (mut connection, _) = console.welcome().await;
    let command = connection.run("test").await;
    let mut sent = 0;
    // Two heartbeats after one another: by then everything was sent that would be.
    let mut quiet = 0;
    while quiet < 2 {
        match connection.hear().await.expect("it stays") {
            Heard::Output { offset, bytes, .. } => (sent, quiet) = (offset + bytes.len() as u64, 0),
            Heard::Said(FromAgent::Heartbeat { .. }) => quiet += 1,
            Heard::Said(_) => {}
        }
    }
    assert!((1 << 20..=(1 << 20) + (64 << 10)).contains(&sent), "{sent} bytes under way");
    assert_eq!(host.held().len(), 1);
    connection.say(ToAgent::Stored { command_id: command, offset: sent }).await;
    let mut log = Log { end: sent, ..Log::counting(command) };
    assert_eq!(log.finish(&mut connection).await, Outcome::Exited { code: 0 });
    assert_eq!((log.end, log.gaps), (8_000_000, 0));
}

/// A connection on which a command has said its first word.
pub async fn begun(connection: &mut Connection, kind: &str) -> Log {
    let mut log = Log::of(connection.run(kind).await);
    log.until(connection, "its first word", |log| log.end > 0).await;
    log
}
