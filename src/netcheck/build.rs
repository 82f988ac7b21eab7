//! `muster net build`: what the console starts for a build, so that no net can hurt it. PNML on standard input, a line of JSON for each
//! thing there is to say on standard output.
//!
//! The process bounds itself: time by the budget of the analysis and, should that not be heeded, by a thread that ends it; memory by a
//! limit that the system holds it to. It ends with the console, however that ends: the console keeps its standard input open, and whoever
//! asked for a build is gone once that is closed.

use super::CheckError;
use crate::{
    model::{BuildError, BuildPhase},
    petri::{
        NetReport,
        analysis::{Budget, Structure, analyse_telling},
        pnml::{self, Limits, PnmlError},
    },
};
use rustix::process::{Resource, Rlimit, setpriority_process, setrlimit};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Read as _, Write as _},
    time::{Duration, Instant},
};

/// Builds a net: for the console.
#[derive(clap::Args)]
pub(super) struct BuildArgs {
    /// Seconds that the build may take.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Megabytes that the process may take.
    #[arg(long, value_name = "MB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    memory: u64,
    /// Bytes of PNML that come on standard input, which stays open as long as the build is wanted. Without it, all that comes is the file.
    #[arg(long, value_name = "N")]
    bytes: Option<u64>,
}

/// A line of the process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Phase(BuildPhase),
    /// The file cannot be read as a net. The last line.
    Broken(BuildError),
    /// The last line.
    Found(Box<Found>),
}

/// What a build found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub structure: Structure,
    pub report: NetReport,
    /// What was done, each with the milliseconds since the beginning.
    pub log: Vec<(u64, String)>,
}

/// Of the memory of the process, what the analysis counts: the net, the reader and the report are not in its count.
const COUNTED: (u64, u64) = (5, 8);
/// After its budget of time the process has this long to come to an end.
const LATE: Duration = Duration::from_secs(3);

/// A build error as everybody is told it.
pub fn broken(error: &PnmlError) -> BuildError {
    BuildError { text: error.kind.to_string(), at: Some((error.line, error.column)) }
}

pub(super) fn run(args: &BuildArgs) -> Result<(), CheckError> {
    let began = Instant::now();
    let budget = Duration::from_secs(args.seconds);
    bound(args, budget);
    let mut pnml = Vec::new();
    let limits = Limits::default();
    let most = limits.bytes as u64 + 1;
    let wanted = args.bytes.unwrap_or(most).min(most);
    io::stdin().lock().take(wanted).read_to_end(&mut pnml)?;
    if args.bytes.is_some() {
        if (pnml.len() as u64) < wanted {
            give_up(NOT_WANTED, 4);
        }
        std::thread::spawn(end_with_the_console);
    }

    say(&Said::Phase(BuildPhase::Reading))?;
    let net = match pnml::read(&pnml, &limits) {
        Ok(net) => net,
        Err(error) => return say(&Said::Broken(broken(&error))),
    };
    drop(pnml);
    let since = || began.elapsed().as_millis() as u64;
    let size = net.size();
    let mut log = vec![(since(), format!("Read: {size}"))];
    say(&Said::Phase(BuildPhase::Structure))?;
    let structure = Structure::of(&net);
    log.push((since(), format!("Structure: {}", kinds(&structure))));
    say(&Said::Phase(BuildPhase::Invariants))?;
    let states_from = std::cell::Cell::new(None);
    // Told when the states come, and again as they are counted.
    let seen = |_| {
        if states_from.get().is_none() {
            states_from.set(Some(since()));
            // Whoever does not listen any more is told at the end.
            _ = say(&Said::Phase(BuildPhase::States));
        }
    };
    let elapsed = || began.elapsed();
    let budget = Budget {
        // The rest is for what comes after: giving back the memory takes its time too.
        time: budget.mul_f64(0.95),
        memory: usize::try_from(args.memory * 1_000_000 / COUNTED.1 * COUNTED.0).unwrap_or(usize::MAX),
        elapsed: &elapsed,
    };
    let report = NetReport::from(&analyse_telling(&net, &budget, &seen));
    log.push((
        states_from.get().unwrap_or_else(since),
        format!(
            "Invariants: {} of places, {} of transitions",
            report.place_invariants.found, report.transition_invariants.found
        ),
    ));
    let explored = report.explored;
    let all = if explored.complete { "that is all of them" } else { "not all of them" };
    log.push((since(), format!("{} states, {} edges seen; {all}", explored.states, explored.edges)));
    if let Some(resource) = report.hit {
        let (what, flag) = match resource {
            crate::petri::analysis::Resource::Time => ("time", "--build-seconds"),
            crate::petri::analysis::Resource::Memory => ("memory", "--build-memory"),
        };
        log.push((since(), format!("The budget of {what} ({flag}) was used up: the rest is not decided")));
    }
    say(&Said::Found(Box::new(Found { structure, report, log })))
}

fn say(said: &Said) -> Result<(), CheckError> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, said).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

fn kinds(structure: &Structure) -> String {
    let kinds = [
        (structure.ordinary, "ordinary"),
        (structure.state_machine, "a state machine"),
        (structure.marked_graph, "a marked graph"),
        (structure.free_choice, "free choice"),
        (structure.strongly_connected, "strongly connected"),
    ];
    let kinds: Vec<&str> = kinds.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind).collect();
    let parts = match structure.components {
        1 => "1 part".to_owned(),
        parts => format!("{parts} parts"),
    };
    if kinds.is_empty() { parts } else { format!("{parts}, {}", kinds.join(", ")) }
}

/// Everybody else comes first; memory and time have an end. What the system refuses to bound the console bounds from outside.
fn bound(args: &BuildArgs, budget: Duration) {
    _ = setpriority_process(None, 19);
    let bytes = Some(args.memory * 1_000_000);
    _ = setrlimit(Resource::Data, Rlimit { current: bytes, maximum: bytes });
    std::thread::spawn(move || {
        std::thread::sleep(budget + LATE);
        give_up("the build did not end in time", 3);
    });
}

const NOT_WANTED: &str = "the console that asked for the build is gone";

/// Ends the process once standard input is closed. The system closes it for a console that was killed, on any platform.
fn end_with_the_console() {
    let mut more = [0; 64];
    loop {
        match io::stdin().lock().read(&mut more) {
            Ok(1..) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => give_up(NOT_WANTED, 4),
        }
    }
}

/// Ends the process. That nobody listens any more, which `eprintln!` takes ill, must not keep it from that.
fn give_up(why: &str, code: i32) -> ! {
    _ = writeln!(io::stderr(), "muster: {why}");
    std::process::exit(code)
}
