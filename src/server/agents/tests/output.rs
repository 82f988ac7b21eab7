//! Output: nothing is lost, nothing is there twice, and what is missing is said.

use super::agent::*;
use crate::{
    agent::protocol::{FromAgent, Goodbye, MAX_OUTPUT},
    model::{CommandId, CommandStatus, Outcome},
    server::actions::tests::harness::*,
};
use axum::http::Method;

const WELL: Outcome = Outcome::Exited { code: 0 };

async fn running(stage: &Stage) -> (FakeAgent, CommandId) {
    let mut agent = stage.agent(vec![]).await;
    let command = stage.run("test").await;
    assert_eq!(agent.hears_run().await, command);
    agent.starts(command).await;
    (agent, command)
}

async fn get(stage: &Stage, command: CommandId, query: &str) -> Answer {
    stage.console.ask(ANA, Method::GET, &format!("/api/commands/{command}/output{query}"), "").await
}

async fn watched(stage: &Stage, command: CommandId, offset: u64) -> Vec<(String, serde_json::Value)> {
    let path = format!("/api/watch?command={command}:{offset}");
    events(&stage.console.ask(ANA, Method::GET, &path, "").await.text)
}

fn events(text: &str) -> Vec<(String, serde_json::Value)> {
    let event = |block: &str| {
        let name =
            block.lines().find_map(|line| line.strip_prefix("event: ").or(line.strip_prefix("event:")))?;
        let data =
            block.lines().find_map(|line| line.strip_prefix("data: ").or(line.strip_prefix("data:")))?;
        Some((name.to_owned(), serde_json::from_str(data).unwrap()))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[tokio::test]
async fn output_survives_three_cuts_whole_and_in_order() {
    let stage = Stage::new().await;
    let (mut agent, command) = running(&stage).await;
    let lines: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
    let bytes = lines.as_bytes();
    let third = bytes.len() / 3;
    for cut in 1..=3 {
        // From a little before what was confirmed: an agent does not know what arrived.
        let from = (cut - 1) * third;
        let mut at = from.saturating_sub(1_000);
        while at < cut * third {
            let piece = &bytes[at..(at + 3_000).min(cut * third)];
            agent.writes(command, at as u64, piece).await;
            at += piece.len();
        }
        agent.hears_stored((cut * third) as u64).await;
        agent.cut();
        agent = stage.agent(vec![held(command)]).await;
    }
    if 3 * third < bytes.len() {
        agent.writes(command, 3 * third as u64, &bytes[3 * third..]).await;
    }
    agent.ends(command, WELL, bytes.len() as u64).await;
    agent.hears_settled(command).await;
    let answer = get(&stage, command, "").await;
    assert!(answer.text == lines, "{} bytes of {}", answer.text.len(), lines.len());
    let part = get(&stage, command, &format!("?offset={}", bytes.len() - 5)).await;
    assert_eq!(part.text, lines[lines.len() - 5..]);
}

#[tokio::test]
async fn an_end_before_its_output_is_not_believed_until_the_output_is_there() {
    let stage = Stage::new().await;
    let (mut agent, command) = running(&stage).await;
    agent.writes(command, 0, b"abc").await;
    agent.hears_stored(3).await;
    agent.ends(command, WELL, 6).await;
    agent.hears_stored(3).await;
    assert_eq!(agent.hears_goodbye().await, Goodbye::Closing);
    let mut agent = stage.agent(vec![held(command)]).await;
    assert_eq!(stage.command(command).status, CommandStatus::Running);
    agent.writes(command, 3, b"def").await;
    agent.ends(command, WELL, 6).await;
    agent.hears_settled(command).await;
    assert_eq!(get(&stage, command, "").await.text, "abcdef");
}

#[tokio::test]
async fn what_the_agent_did_not_keep_is_a_gap_with_its_size() {
    let stage = Stage::new().await;
    let (mut agent, command) = running(&stage).await;
    agent.writes(command, 0, b"abc").await;
    agent.says(FromAgent::Gap { command_id: command, offset: 3, size: 100 }).await;
    agent.writes(command, 103, b"xyz").await;
    agent.hears_stored(106).await;
    agent.ends(command, WELL, 106).await;
    agent.hears_settled(command).await;
    assert_eq!(get(&stage, command, "").await.text, "abcxyz");
    let seen = watched(&stage, command, 1).await;
    let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["output", "gap", "output", "end"]);
    assert_eq!((&seen[0].1["text"], &seen[0].1["offset"]), (&"bc".into(), &1.into()));
    assert_eq!((&seen[1].1["offset"], &seen[1].1["size"]), (&3.into(), &100.into()));
    assert_eq!((&seen[3].1["status"], &seen[3].1["offset"]), (&"succeeded".into(), &106.into()));
}

#[tokio::test]
async fn beyond_the_limit_a_command_still_ends_and_the_rest_is_a_gap() {
    let stage = Stage::new().await;
    let (mut agent, command) = running(&stage).await;
    // The console of the tests keeps one mebibyte. Binary, and without a single line end.
    let piece = vec![0xff; MAX_OUTPUT];
    let pieces = 18;
    for n in 0..pieces {
        agent.writes(command, n * MAX_OUTPUT as u64, &piece).await;
    }
    let size = pieces * MAX_OUTPUT as u64;
    agent.ends(command, WELL, size).await;
    agent.hears_settled(command).await;
    assert_eq!(stage.command(command).output_bytes, size);
    let (seen, kept) = (watched(&stage, command, 0).await, 1 << 20);
    let gap = seen.iter().find(|(name, _)| name == "gap").unwrap();
    assert_eq!((&gap.1["offset"], &gap.1["size"]), (&kept.into(), &(size - kept).into()));
}

#[tokio::test]
async fn who_watches_sees_the_output_as_it_comes_and_then_the_end() {
    let stage = Stage::new().await;
    let (mut agent, command) = running(&stage).await;
    let (seen, ()) = tokio::join!(watched(&stage, command, 0), async {
        agent.writes(command, 0, "é".as_bytes()).await;
        agent.hears_stored(2).await;
        // A character in two pieces is shown whole.
        agent.writes(command, 2, &"ü\n".as_bytes()[..1]).await;
        agent.hears_stored(3).await;
        agent.writes(command, 3, &"ü\n".as_bytes()[1..]).await;
        agent.ends(command, Outcome::Signalled { signal: 9 }, 5).await;
        agent.hears_settled(command).await;
    });
    let text: String = seen.iter().filter_map(|(_, data)| data["text"].as_str()).collect();
    assert_eq!(text, "éü\n");
    assert_eq!(
        (seen.last().unwrap().0.as_str(), &seen.last().unwrap().1["status"]),
        ("end", &"failed".into())
    );
    let nothing = stage.console.ask(ANA, Method::GET, "/api/watch", "").await;
    assert_eq!(nothing.status.as_u16(), 400);
}
