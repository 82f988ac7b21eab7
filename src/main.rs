//! The command line: one match over subcommands.

use clap::{Parser, Subcommand};
use muster::{agent, netcheck, server, swarm, worker};
use std::{error::Error, io::IsTerminal, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// A live operations console for a fleet of workers that run Petri nets.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(server::Args),
    Worker(worker::Args),
    Agent(agent::Args),
    #[command(hide = true)]
    AgentRunner(agent::RunnerArgs),
    Swarm(swarm::Args),
    Net(netcheck::Args),
    User(server::UserArgs),
    Token(server::TokenArgs),
    Export(server::ExportArgs),
    Import(server::ImportArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(matches!(&cli.command, Command::Serve(args) if args.log_json));
    let result: Result<(), Box<dyn Error>> = match cli.command {
        Command::Serve(args) => server::serve(args).await.map_err(Into::into),
        Command::Worker(args) => worker::run(args).await.map_err(Into::into),
        Command::Agent(args) => return agent::run(args).await,
        Command::AgentRunner(args) => agent::run_runner(args).await.map_err(Into::into),
        Command::Swarm(args) => swarm::run(args).await.map_err(Into::into),
        Command::Net(args) => netcheck::run(args).map_err(Into::into),
        Command::User(args) => server::user(args).await.map_err(Into::into),
        Command::Token(args) => server::token(args).await.map_err(Into::into),
        Command::Export(args) => server::export(args).await.map_err(Into::into),
        Command::Import(args) => server::import(args).await.map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("muster: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Standard output belongs to what a program is asked to say; logs go beside it.
fn log_to_stderr(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let colours = std::io::stderr().is_terminal();
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    if json { log.json().init() } else { log.init() }
}
