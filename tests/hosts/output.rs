//! Output over a network that breaks.

use super::{
    console::{console, ended, online, output, run_one},
    machine::{Machine, scripts},
    proxy::Proxy,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_lines_are_all_there_in_order_after_three_cuts() {
    let console = console(&[]).await;
    // Together they are less than the output, so that each of them is in its midst.
    let proxy = Proxy::start(&console.url, &[70_000, 150_000, 220_000]).await;
    let mut machine = Machine::new(&console, "a", &scripts(&[("test", "seq 1 100000")])).await;
    machine.console = proxy.url.clone();
    machine.start_agent();
    online(&console, &machine.id).await;

    let command = run_one(&console, &machine.id, "test").await;
    let row = ended(&console, &command).await;
    let expected: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(proxy.broken(), 3);
    assert_eq!(row["status"], "succeeded", "{row}");
    assert_eq!(row["output_bytes"], expected.len());
    let text = output(&console, &command).await;
    assert!(text == expected, "{} bytes of {}", text.len(), expected.len());
    let dials = machine.read("log").matches("connected host_id").count();
    assert_eq!(dials, 4, "it came back after each cut");
}
