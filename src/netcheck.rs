//! `muster net`: the verdicts about a net on the command line, nets of any size to try them on, and what the console starts to build one.

pub mod build;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::petri::analysis::{Budget, Report, Resource, Verdicts, analyse};
use crate::petri::generate::Family;
use crate::petri::pnml::{self, Limits, PnmlError, PnmlErrorKind};
use crate::petri::{PetriNet, TransitionIx};

/// Looks at nets in PNML files, and makes some.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: NetCommand,
}

#[derive(clap::Subcommand)]
enum NetCommand {
    Check(CheckArgs),
    Generate(GenerateArgs),
    #[command(hide = true)]
    Build(build::BuildArgs),
}

/// Prints a net of a known kind in PNML, as large as wanted.
#[derive(clap::Args)]
struct GenerateArgs {
    /// What kind of net.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(Family::ALL.map(Family::name)))]
    family: String,
    /// Parts: philosophers, workers, stations, locks, readers or cycles.
    #[arg(value_parser = clap::value_parser!(u32).range(1..=20_000))]
    size: u32,
}

/// Says what a net can do: its state space, deadlocks, bounds and liveness. What the budget does not suffice for is "not decided".
#[derive(clap::Args)]
struct CheckArgs {
    /// A place/transition net in PNML; `-` is standard input.
    file: PathBuf,
    /// Print one JSON object, also of a file that is refused.
    #[arg(long)]
    json: bool,
    /// Seconds that the check may take.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Megabytes that the markings may take.
    #[arg(long, value_name = "MB", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    memory: u64,
}

/// What the console says of such a net, too.
pub const EMPTY: &str = "The net is empty: it has no places and no transitions. Add at least one.";
/// The name under which standard input is read.
const STDIN: &str = "-";

/// Why a net was not checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Refused { path: PathBuf, source: PnmlError },
    #[error("{}: {}", path.display(), EMPTY)]
    Empty { path: PathBuf },
    #[error("the result could not be written: {0}")]
    Output(#[from] io::Error),
}

pub fn run(args: Args) -> Result<(), CheckError> {
    match args.command {
        NetCommand::Check(args) => check(args),
        NetCommand::Generate(args) => generate(&args),
        NetCommand::Build(args) => build::run(&args),
    }
}

fn generate(args: &GenerateArgs) -> Result<(), CheckError> {
    // The command line takes no other name.
    let Some(family) = Family::by_name(&args.family) else { return Ok(()) };
    io::stdout().lock().write_all(pnml::write(&family.net(args.size)).as_bytes())?;
    Ok(())
}

fn check(args: CheckArgs) -> Result<(), CheckError> {
    let started = Instant::now();
    let net = match read(&args.file) {
        Err(error) if args.json => {
            io::stdout().lock().write_all(format!("{}\n", refusal(&error)).as_bytes())?;
            return Err(error);
        }
        other => other?,
    };
    let elapsed = || started.elapsed();
    // The rest is for what comes after: giving back the memory takes its time too.
    let time = Duration::from_secs(args.seconds).mul_f64(0.95);
    let memory = usize::try_from(args.memory * 1_000_000).unwrap_or(usize::MAX);
    let report = analyse(&net, &Budget { time, memory, elapsed: &elapsed });
    let text = if args.json { json(&net, &report, &args)? } else { table(&net, &report, started.elapsed()) };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// What `--json` prints of a net that was not checked.
fn refusal(error: &CheckError) -> serde_json::Value {
    let at = match error {
        CheckError::Refused { source, .. } => Some((source.line, source.column)),
        CheckError::Unreadable { .. } | CheckError::Empty { .. } | CheckError::Output(_) => None,
    };
    serde_json::json!({
        "error": error.to_string(),
        "line": at.map(|(line, _)| line),
        "column": at.map(|(_, column)| column),
    })
}

fn read(path: &Path) -> Result<PetriNet, CheckError> {
    let limits = Limits::default();
    if path == Path::new(STDIN) {
        return read_from(io::stdin().lock(), Path::new("standard input"), &limits);
    }
    let unreadable = |source| CheckError::Unreadable { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > limits.bytes as u64 {
        let kind = PnmlErrorKind::TooLarge { bytes: length as usize, limit: limits.bytes };
        let source = PnmlError { line: 1, column: 1, kind };
        return Err(CheckError::Refused { path: path.to_path_buf(), source });
    }
    read_from(file, path, &limits)
}

fn read_from(file: impl io::Read, path: &Path, limits: &Limits) -> Result<PetriNet, CheckError> {
    let path = || path.to_path_buf();
    let mut bytes = Vec::new();
    // A pipe tells no length; one byte over the limit is enough to refuse it.
    let read = file.take(limits.bytes as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|source| CheckError::Unreadable { path: path(), source })?;
    let net = pnml::read(&bytes, limits).map_err(|source| CheckError::Refused { path: path(), source })?;
    if net.is_empty() { Err(CheckError::Empty { path: path() }) } else { Ok(net) }
}

/// What `--json` prints. The verdicts come first and keep their names; the rest explains them.
#[derive(Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    verdicts: &'a Verdicts,
    budget: Spent,
    /// Markings and edges seen, whether or not they were all.
    explored: Seen,
    deadlock_path: Option<Vec<&'a str>>,
    dead_transitions: Option<Vec<&'a str>>,
    unbounded_place: Option<&'a str>,
    place_invariants: usize,
    transition_invariants: usize,
}

#[derive(Serialize)]
struct Spent {
    seconds: u64,
    memory_mb: u64,
    hit: Option<Resource>,
}

#[derive(Serialize)]
struct Seen {
    states: u64,
    edges: u64,
}

fn ids<'a>(net: &'a PetriNet, transitions: &[TransitionIx]) -> Vec<&'a str> {
    transitions.iter().filter_map(|t| net.transitions.get(t.index())).map(|t| t.id.as_str()).collect()
}

fn json(net: &PetriNet, report: &Report, args: &CheckArgs) -> Result<String, CheckError> {
    let output = Output {
        verdicts: &report.verdicts,
        budget: Spent { seconds: args.seconds, memory_mb: args.memory, hit: report.hit },
        explored: Seen { states: report.explored.states, edges: report.explored.edges },
        deadlock_path: report.deadlock_path.as_ref().map(|path| ids(net, path)),
        dead_transitions: report.dead_transitions.as_ref().map(|dead| ids(net, dead)),
        unbounded_place: report
            .unbounded
            .and_then(|p| net.places.get(p.index()))
            .map(|place| place.id.as_str()),
        place_invariants: report.place_invariants.semiflows.len(),
        transition_invariants: report.transition_invariants.semiflows.len(),
    };
    Ok(serde_json::to_string(&output).map_err(io::Error::from)? + "\n")
}

fn table(net: &PetriNet, report: &Report, took: Duration) -> String {
    let verdicts = &report.verdicts;
    let yes_no = |verdict: &crate::petri::analysis::Verdict<bool>| match verdict.value() {
        Some(true) => "yes".to_string(),
        Some(false) => "no".to_string(),
        None => verdict.to_string(),
    };
    let mut deadlock = yes_no(&verdicts.deadlock);
    if let Some(path) = &report.deadlock_path {
        let _ = write!(deadlock, ", after {} firings", path.len());
    }
    let semiflows = |invariants: &crate::petri::analysis::invariants::Invariants| {
        let more = if invariants.complete { "" } else { " or more" };
        format!("{}{more}", invariants.semiflows.len())
    };
    let size = net.size();
    let rows = [
        ("net", format!("{} ({size})", net.name)),
        ("states", verdicts.states.to_string()),
        ("edges", verdicts.edges.to_string()),
        ("most tokens in a place", verdicts.max_tokens_in_place.to_string()),
        ("most tokens in a marking", verdicts.max_tokens_per_marking.to_string()),
        ("deadlock", deadlock),
        ("one-safe", yes_no(&verdicts.one_safe)),
        ("every transition can fire", yes_no(&verdicts.quasi_live)),
        ("live", yes_no(&verdicts.live)),
        ("place invariants", semiflows(&report.place_invariants)),
        ("transition invariants", semiflows(&report.transition_invariants)),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<26}{value}");
    }
    for line in remarks(net, report, took) {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What explains the verdicts: transitions that never fire, and why something is not decided.
fn remarks(net: &PetriNet, report: &Report, took: Duration) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(dead) = report.dead_transitions.as_deref().filter(|dead| !dead.is_empty()) {
        let shown = ids(net, &dead[..dead.len().min(10)]).join(", ");
        let more = if dead.len() > 10 { format!(" and {} more", dead.len() - 10) } else { String::new() };
        remarks.push(format!("Never fires: {shown}{more}."));
    }
    if let Some(place) = report.unbounded.and_then(|place| net.places.get(place.index())) {
        remarks.push(format!(
            "The place {} grows without bound, so there are infinitely many states.",
            place.id
        ));
    }
    if report.too_many_tokens {
        remarks.push("A place holds more tokens than are counted; the exploration ended there.".to_string());
    }
    if let Some(resource) = report.hit {
        let (what, flag) = match resource {
            Resource::Time => ("time", "--seconds"),
            Resource::Memory => ("memory", "--memory"),
        };
        remarks.push(format!(
            "The budget of {what} was used up after {} states in {:.0} s; give more with {flag}.",
            report.explored.states,
            took.as_secs_f64()
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::samples::SAMPLES;

    fn checked(memory: u64) -> (PetriNet, Report, CheckArgs) {
        let bytes = SAMPLES[0].pnml.as_bytes();
        let net = pnml::read(bytes, &Limits::default()).expect("a sound sample");
        let report = analyse(&net, &Budget::of_memory(memory as usize * 1_000_000));
        (net, report, CheckArgs { file: PathBuf::new(), json: true, seconds: 60, memory })
    }

    #[test]
    fn every_family_can_be_asked_for_by_its_name_and_nothing_else() {
        #[derive(clap::Parser)]
        struct Net {
            #[command(flatten)]
            args: Args,
        }
        let asked = |family: &str, size: &str| {
            let net: Result<Net, _> = clap::Parser::try_parse_from(["net", "generate", family, size]);
            net.map(|net| matches!(net.args.command, NetCommand::Generate(_)))
        };
        for family in Family::ALL {
            assert!(asked(family.name(), "3").is_ok_and(|generates| generates), "{family:?}");
        }
        assert!(asked("nothing", "3").is_err() && asked("kanban", "0").is_err());
    }

    #[test]
    fn the_json_object_has_the_eight_verdicts_and_the_budget() {
        let (net, report, args) = checked(64);
        let json: serde_json::Value =
            serde_json::from_str(&json(&net, &report, &args).expect("writable")).expect("JSON");
        for key in ["states", "edges", "max_tokens_in_place", "max_tokens_per_marking"] {
            assert!(json[key].is_u64(), "{key}: {json}");
        }
        for key in ["deadlock", "one_safe", "quasi_live", "live"] {
            assert!(json[key].is_boolean(), "{key}: {json}");
        }
        assert_eq!(json["budget"], serde_json::json!({"seconds": 60, "memory_mb": 64, "hit": null}));
        assert_eq!(json["explored"]["states"], json["states"]);
    }

    #[test]
    fn what_the_budget_did_not_suffice_for_is_said_in_words() {
        let (net, report, args) = checked(0);
        let said: serde_json::Value =
            serde_json::from_str(&json(&net, &report, &args).expect("writable")).expect("JSON");
        assert_eq!(said["states"], "not decided");
        assert_eq!(said["budget"]["hit"], "memory");
        let table = table(&net, &report, Duration::from_secs(1));
        assert!(table.contains("not decided") && table.contains("--memory"), "{table}");
    }

    #[test]
    fn an_empty_net_is_refused_as_the_console_refuses_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("empty.pnml");
        let empty = "<pnml><net id=\"n\" type=\"http://www.pnml.org/version-2009/grammar/ptnet\"/></pnml>";
        std::fs::write(&path, empty).expect("writable");
        let error = read(&path).expect_err("an empty net");
        assert!(error.to_string().ends_with(&format!("empty.pnml: {EMPTY}")), "{error}");
        assert_eq!(refusal(&error)["line"], serde_json::Value::Null);
    }

    #[test]
    fn what_comes_on_standard_input_is_named_so() {
        let limits = Limits::default();
        let from = |bytes: &[u8]| read_from(bytes, Path::new("standard input"), &limits);
        assert!(from(SAMPLES[0].pnml.as_bytes()).is_ok());
        let error = from(b"<pnml>\n <nte/>\n").expect_err("a broken file").to_string();
        assert!(error.starts_with("standard input: line "), "{error}");
    }

    #[test]
    fn a_refused_file_is_named_with_line_and_column() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("broken.pnml");
        std::fs::write(&path, "<pnml>\n <nte/>\n").expect("writable");
        let error = read(&path).expect_err("a broken file");
        let said = refusal(&error);
        assert!(said["line"].is_u64() && said["column"].is_u64(), "{said}");
        let error = error.to_string();
        assert!(error.contains("broken.pnml: line ") && error.contains("column"), "{error}");
        let missing = read(&dir.path().join("none.pnml")).expect_err("no file").to_string();
        assert!(missing.contains("none.pnml: "), "{missing}");
    }
}
