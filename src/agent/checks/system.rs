//! What is deployed against what the checkout would deploy, as the owner's programs say.

use super::{Verdict, within_bounds};
use crate::{
    agent::{config::Config, tool},
    model::CompartmentStatus,
};
use std::path::Path;

/// `None` where the owner did not say how to find out.
pub async fn look(config: &Config) -> Option<Verdict> {
    if config.system.deployed.is_empty() || config.system.checked_out.is_empty() {
        return None;
    }
    let deployed = say(config, &config.system.deployed);
    let (deployed, checked_out) = tokio::join!(deployed, say(config, &config.system.checked_out));
    Some(match (deployed, checked_out) {
        (Err(why), _) => Verdict::error(format!("What is deployed cannot be found out: {why}")),
        (_, Err(why)) => Verdict::error(format!("What the checkout would deploy cannot be found out: {why}")),
        (Ok(deployed), Ok(checked_out)) if deployed == checked_out => Verdict::new(
            CompartmentStatus::Ok,
            format!("Deployed is what is checked out ({})", last_part(&deployed)),
        ),
        (Ok(deployed), Ok(checked_out)) => Verdict::new(
            CompartmentStatus::Outdated,
            format!("Deployed is {}, checked out is {}", last_part(&deployed), last_part(&checked_out)),
        ),
    })
}

pub async fn generation(config: &Config) -> Option<String> {
    if config.system.generation.is_empty() {
        return None;
    }
    match say(config, &config.system.generation).await {
        Ok(generation) => Some(within_bounds(last_part(&generation).to_owned())),
        Err(why) => {
            tracing::warn!(%why, "the generation cannot be found out");
            None
        }
    }
}

/// Paths of a store are long and begin alike.
fn last_part(path: &str) -> &str {
    path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path)
}

/// The first line that the program prints.
async fn say(config: &Config, argv: &[String]) -> Result<String, String> {
    let (program, arguments) = argv.split_first().ok_or("no program is configured")?;
    let cwd = config.repository.as_ref().map_or(Path::new("/"), |repository| &repository.path);
    let output = tool::run(program, arguments, cwd, config.system.within()).await?;
    let line = output.stdout.lines().next().unwrap_or_default().trim();
    match output.success {
        false if output.complaint.is_empty() => Err(format!("{program} failed")),
        false => Err(format!("{program}: {}", output.complaint)),
        true if line.is_empty() => Err(format!("{program} printed nothing")),
        true => Ok(line.to_owned()),
    }
}
