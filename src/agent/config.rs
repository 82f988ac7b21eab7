//! The agent's configuration file (docs/agent.md): what its owner says of the host, and the commands that may be run there.

use crate::model::{CommandKind, CommandOffer, CompartmentKind, ThemeColor};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// All of them are said in one frame when the agent registers.
const MOST_COMMANDS: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration {path} cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("the configuration {path} is wrong: {source}")]
    Syntax { path: PathBuf, source: Box<toml::de::Error> },
    #[error("the configuration {path} is wrong: {why}")]
    Sense { path: PathBuf, why: String },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// In place of what the machine calls itself.
    pub hostname: Option<String>,
    /// `nixos`, `macos`, whatever its owner calls it. `nixos` brings defaults for `system`.
    pub host_type: Option<String>,
    pub theme_color: Option<ThemeColor>,
    pub repository: Option<Repository>,
    pub system: System,
    #[serde(deserialize_with = "duration")]
    pub check_interval: Duration,
    /// The file system whose room is reported.
    pub disk: PathBuf,
    pub commands: BTreeMap<CommandKind, Command>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    pub path: PathBuf,
    #[serde(default = "origin")]
    pub remote: String,
    /// The remote's branch; without it the one that the checked out branch follows.
    pub branch: Option<String>,
    #[serde(default = "flake_lock")]
    pub lock_file: PathBuf,
}

/// Programs that print one line each.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct System {
    /// What the checkout would deploy.
    pub checked_out: Vec<String>,
    /// What is deployed.
    pub deployed: Vec<String>,
    /// What its system calls what is deployed.
    pub generation: Vec<String>,
    #[serde(deserialize_with = "some_duration")]
    pub timeout: Option<Duration>,
}

impl System {
    pub fn within(&self) -> Duration {
        self.timeout.unwrap_or(Duration::from_secs(5 * 60))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    pub argv: Vec<String>,
    /// Where it runs; without it in the repository, or in `/` where there is none.
    pub cwd: Option<PathBuf>,
    #[serde(default = "half_an_hour", deserialize_with = "duration")]
    pub timeout: Duration,
    /// Added to the agent's own environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What it changes: the console looks at these again once it has ended well.
    #[serde(default)]
    pub checks: Vec<CompartmentKind>,
    /// Bytes of output that are kept while the console has not stored them.
    #[serde(default = "much_output", deserialize_with = "size")]
    pub max_output: u64,
}

fn origin() -> String {
    "origin".to_owned()
}

fn flake_lock() -> PathBuf {
    "flake.lock".into()
}

fn half_an_hour() -> Duration {
    Duration::from_secs(30 * 60)
}

fn much_output() -> u64 {
    64 << 20
}

impl Default for Config {
    fn default() -> Config {
        Config {
            hostname: None,
            host_type: None,
            theme_color: None,
            repository: None,
            system: System::default(),
            check_interval: Duration::from_secs(15 * 60),
            disk: "/".into(),
            commands: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Reads it, and fills in what its owner left to the defaults. `machine` is what the machine calls itself.
    pub fn read(path: Option<&Path>, machine: &str) -> Result<Config, ConfigError> {
        let Some(path) = path else { return Ok(Config::default().completed(machine)) };
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let config: Config = toml::from_str(&text)
            .map_err(|source| ConfigError::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        let config = config.completed(machine);
        match config.nonsense() {
            Some(why) => Err(ConfigError::Sense { path: path.to_owned(), why }),
            None => Ok(config),
        }
    }

    fn completed(mut self, machine: &str) -> Config {
        let hostname = self.hostname.get_or_insert_with(|| machine.to_owned()).clone();
        if self.host_type.as_deref() == Some("nixos") {
            let or = |given: &mut Vec<String>, default: &[&str]| {
                if given.is_empty() {
                    *given = default.iter().map(|&part| part.to_owned()).collect();
                }
            };
            if let Some(repository) = &self.repository {
                let toplevel = format!(
                    "{}#nixosConfigurations.{hostname}.config.system.build.toplevel.outPath",
                    repository.path.display()
                );
                let features = "nix-command flakes";
                let eval = ["nix", "--extra-experimental-features", features, "eval", "--raw", &toplevel];
                or(&mut self.system.checked_out, &eval);
            }
            or(&mut self.system.deployed, &["readlink", "-f", "/run/current-system"]);
            or(&mut self.system.generation, &["readlink", "/nix/var/nix/profiles/system"]);
        }
        if self.commands.is_empty() && self.repository.is_some() {
            let argv = ["git", "pull", "--ff-only"].map(str::to_owned).to_vec();
            let checks = vec![CompartmentKind::Git, CompartmentKind::Lock];
            let pull = Command {
                argv,
                cwd: None,
                timeout: half_an_hour(),
                env: BTreeMap::new(),
                checks,
                max_output: much_output(),
            };
            self.commands.extend("pull".parse().ok().map(|kind| (kind, pull)));
        }
        self
    }

    /// What can be read and cannot be meant.
    fn nonsense(&self) -> Option<String> {
        let long = |text: &str| text.is_empty() || text.len() > 200 || text.chars().any(char::is_control);
        if self.hostname.as_deref().is_some_and(long) || self.host_type.as_deref().is_some_and(long) {
            return Some("hostname and host_type have 1 to 200 printable characters".to_owned());
        }
        if self.check_interval < Duration::from_secs(10) {
            return Some("check_interval is at least 10 s: the checks ask the network".to_owned());
        }
        if self.commands.len() > MOST_COMMANDS {
            return Some(format!("there are more than {MOST_COMMANDS} commands"));
        }
        if let Some(repository) = &self.repository {
            if !repository.path.is_absolute() {
                return Some("repository.path must begin with /".to_owned());
            }
            let names = [Some(&repository.remote), repository.branch.as_ref()];
            if let Some(name) = names.into_iter().flatten().find(|name| !is_git_name(name)) {
                return Some(format!("{name:?} is no name of a remote or a branch"));
            }
        }
        self.commands.iter().find_map(|(kind, command)| {
            let told = |why: &str| Some(format!("commands.{kind}: {why}"));
            match command {
                _ if command.argv.first().is_none_or(String::is_empty) => told("argv names no program"),
                _ if command.argv.iter().any(|part| part.contains('\0')) => told("argv holds a NUL"),
                _ if command.env.iter().any(|(name, value)| {
                    name.is_empty() || name.contains(['=', '\0']) || value.contains('\0')
                }) =>
                {
                    told("env holds what is no name or no value")
                }
                _ if command.cwd.as_deref().is_some_and(|cwd| !cwd.is_absolute()) => {
                    told("cwd must begin with /")
                }
                _ if !(1..=7 * 24 * 3600).contains(&command.timeout.as_secs()) => {
                    told("timeout is from 1 second to 7 days")
                }
                _ if command.max_output < 64 << 10 => told("max_output is at least 64 KiB"),
                _ => None,
            }
        })
    }

    /// Where a command runs.
    pub fn cwd_of(&self, command: &Command) -> PathBuf {
        let repository = || self.repository.as_ref().map(|repository| repository.path.clone());
        command.cwd.clone().or_else(repository).unwrap_or_else(|| "/".into())
    }

    /// What the console may ask for.
    pub fn offers(&self) -> Vec<CommandOffer> {
        let offer = |(kind, command): (&CommandKind, &Command)| CommandOffer {
            kind: kind.clone(),
            timeout_s: command.timeout.as_secs(),
            checks: command.checks.clone(),
        };
        self.commands.iter().map(offer).collect()
    }
}

/// Nothing that git would take for an option or for more than a name.
fn is_git_name(name: &str) -> bool {
    let strange = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    !name.is_empty() && !name.starts_with(['-', '/']) && !name.contains("..") && !name.contains(strange)
}

/// `"30 min"`, `"90 s"`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|_| D::Error::custom(format!("{text:?} is no duration: write it as \"30 min\" or \"90 s\"")))
}

fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

/// `"64 MiB"`, or a number of bytes.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Bytes(u64),
        Text(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Bytes(bytes) => return Ok(bytes),
        Written::Text(text) => text,
    };
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].trim() {
        "B" => Some(0),
        "KiB" => Some(10),
        "MiB" => Some(20),
        "GiB" => Some(30),
        _ => None,
    };
    unit.zip(digits.trim().parse::<u64>().ok())
        .and_then(|(unit, number)| number.checked_mul(1 << unit))
        .ok_or_else(|| D::Error::custom(format!("{text:?} is no size: write it as \"64 MiB\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Config::read(Some(file.path()), "rack-7").map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_that_nobody_knows_is_refused_with_its_line() {
        let error =
            read("host_type = \"nixos\"\n\n[commands.test]\nargv = [\"make\"]\nshell = true\n").unwrap_err();
        assert!(error.contains("shell") && error.contains("line 5"), "{error}");
        assert!(read("hostnam = \"a\"").unwrap_err().contains("line 1"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (wrong, word) in [
            ("commands.test = { argv = [] }", "argv"),
            ("commands.test = { argv = \"make test\" }", "argv"),
            ("commands.Test = { argv = [\"make\"] }", "Test"),
            ("commands.test = { argv = [\"make\"], timeout = \"0 s\" }", "timeout"),
            ("commands.test = { argv = [\"make\"], timeout = \"soon\" }", "soon"),
            ("commands.test = { argv = [\"make\"], max_output = \"64 pages\" }", "64 pages"),
            ("commands.test = { argv = [\"make\"], cwd = \"here\" }", "cwd"),
            ("commands.test = { argv = [\"make\"], env = { \"A=B\" = \"1\" } }", "env"),
            ("repository = { path = \"here\" }", "repository.path"),
            ("repository = { path = \"/a\", remote = \"--upload-pack=x\" }", "--upload-pack"),
            ("theme_color = \"red\"", "red"),
            ("check_interval = \"1 s\"", "check_interval"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(word), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_repository_alone_can_be_pulled_and_nothing_else_can_be_done() {
        let config = read("[repository]\npath = \"/srv/infra\"").unwrap();
        let pull = &config.commands[&"pull".parse().unwrap()];
        assert_eq!(pull.argv, ["git", "pull", "--ff-only"]);
        assert_eq!(config.cwd_of(pull), Path::new("/srv/infra"));
        assert_eq!(config.commands.len(), 1);
        assert!(read("").unwrap().commands.is_empty());
    }

    #[test]
    fn nixos_brings_defaults_and_what_is_written_wins() {
        let text = "host_type = \"nixos\"\nrepository.path = \"/etc/nixos\"\nsystem.generation = [\"true\"]";
        let config = read(text).unwrap();
        let evaluated = "/etc/nixos#nixosConfigurations.rack-7.config.system.build.toplevel.outPath";
        assert_eq!(config.system.checked_out.last().unwrap(), evaluated);
        assert_eq!(config.system.deployed, ["readlink", "-f", "/run/current-system"]);
        assert_eq!(config.system.generation, ["true"]);
    }

    #[test]
    fn durations_and_sizes_are_written_as_people_write_them() {
        let text = "commands.test = { argv = [\"make\"], timeout = \"90 s\", max_output = \"2 MiB\" }";
        let config = read(text).unwrap();
        let test = &config.commands[&"test".parse().unwrap()];
        assert_eq!((test.timeout, test.max_output), (Duration::from_secs(90), 2 << 20));
    }
}
