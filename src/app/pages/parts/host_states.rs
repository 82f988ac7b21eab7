//! How hosts, their compartments, commands and pipelines look.

use crate::{
    app::components::{Glyph, State, Tone},
    model::{
        Cell, Command, CommandStatus, Compartment, CompartmentStatus, Host, PipelineStatus, PostCheck,
        Presence, ThemeColor, Timestamp,
    },
};
use std::time::Duration;

pub fn presence_state(host: &Host, presence: Presence) -> State {
    match presence {
        _ if host.revoked => State::new(Glyph::Square, Tone::Quiet, "revoked"),
        _ if host.agent.is_none() && !host.online => State::new(Glyph::Ring, Tone::Quiet, "never seen"),
        Presence::Online => State::new(Glyph::Dot, Tone::Good, presence.word()),
        Presence::Stale => State::new(Glyph::Dashed, Tone::Warn, presence.word()),
        Presence::Offline => State::new(Glyph::Ring, Tone::Quiet, presence.word()),
    }
}

/// A compartment now: one that should have been told by now is not known.
pub fn compartment_state(compartment: &Compartment, now: Timestamp) -> State {
    let overdue = compartment.working_until.is_some_and(|until| until < now);
    let (glyph, tone) = match compartment.status {
        CompartmentStatus::Working if overdue => return State::new(Glyph::Ring, Tone::Quiet, "unknown"),
        CompartmentStatus::Ok => (Glyph::Check, Tone::Good),
        CompartmentStatus::Outdated => (Glyph::Triangle, Tone::Warn),
        CompartmentStatus::Error => (Glyph::Cross, Tone::Bad),
        CompartmentStatus::Unknown => (Glyph::Ring, Tone::Quiet),
        CompartmentStatus::Working => (Glyph::Half, Tone::Busy),
    };
    State::new(glyph, tone, compartment.status.as_str())
}

pub fn command_state(command: &Command) -> State {
    let status = command.status;
    let (glyph, tone) = status_look(status);
    match (status, &command.post_check) {
        (CommandStatus::Queued | CommandStatus::Running, _) if command.cancel.is_some() => {
            State::new(Glyph::Half, Tone::Busy, "cancelling")
        }
        (CommandStatus::Queued, _) if command.dispatched_at.is_some() => State::new(glyph, tone, "sent"),
        (CommandStatus::Succeeded, Some(PostCheck::Awaited { .. })) => {
            State::new(glyph, tone, "succeeded, being checked")
        }
        (CommandStatus::Succeeded, Some(PostCheck::Failed { message })) => {
            State::new(Glyph::Triangle, Tone::Warn, format!("succeeded, but {message}"))
        }
        (CommandStatus::Succeeded, Some(PostCheck::Unknown)) => {
            State::new(glyph, tone, "succeeded, not checked")
        }
        _ => State::new(glyph, tone, status.to_string()),
    }
}

fn status_look(status: CommandStatus) -> (Glyph, Tone) {
    match status {
        CommandStatus::Queued => (Glyph::Ring, Tone::Quiet),
        CommandStatus::Running => (Glyph::Half, Tone::Busy),
        CommandStatus::Succeeded => (Glyph::Check, Tone::Good),
        CommandStatus::Failed | CommandStatus::TimedOut => (Glyph::Cross, Tone::Bad),
        CommandStatus::Cancelled => (Glyph::Square, Tone::Quiet),
        CommandStatus::Lost => (Glyph::Triangle, Tone::Bad),
    }
}

/// How long a command has been at it: from its start, or while it waits from when it was asked for.
pub fn command_took(command: &Command, now: Timestamp) -> Option<Duration> {
    let from = command.started_at.or((!command.status.is_over()).then_some(command.queued_at))?;
    Some(command.finished_at.unwrap_or(now).since(from))
}

/// A cell of a pipeline; `running` tells of one that is active whether its command runs yet.
pub fn cell_state(cell: &Cell, running: bool) -> State {
    match cell {
        Cell::Waiting => State::new(Glyph::Ring, Tone::Quiet, "waiting"),
        Cell::Active { .. } if running => State::new(Glyph::Half, Tone::Busy, "running"),
        Cell::Active { .. } => State::new(Glyph::Ring, Tone::Busy, "queued"),
        Cell::Ended { status, .. } => {
            let (glyph, tone) = status_look(*status);
            State::new(glyph, tone, status.to_string())
        }
        Cell::Skipped => State::new(Glyph::Dashed, Tone::Quiet, "skipped"),
    }
}

pub fn pipeline_state(status: PipelineStatus) -> State {
    let (glyph, tone) = match status {
        PipelineStatus::Running => (Glyph::Half, Tone::Busy),
        PipelineStatus::Paused => (Glyph::Square, Tone::Warn),
        PipelineStatus::Cancelling | PipelineStatus::Stopping => (Glyph::Half, Tone::Warn),
        PipelineStatus::Succeeded => (Glyph::Check, Tone::Good),
        PipelineStatus::Failed => (Glyph::Cross, Tone::Bad),
        PipelineStatus::Cancelled => (Glyph::Square, Tone::Quiet),
    };
    State::new(glyph, tone, status.word())
}

/// The class of the nearest of twelve hues: no attribute may carry a colour of its own. What has next to no colour is grey.
pub fn hue_class(color: Option<ThemeColor>) -> &'static str {
    const HUES: [&str; 12] = [
        "hue-0", "hue-1", "hue-2", "hue-3", "hue-4", "hue-5", "hue-6", "hue-7", "hue-8", "hue-9", "hue-10",
        "hue-11",
    ];
    let Some(ThemeColor(parts)) = color else { return "hue-none" };
    let [red, green, blue] = parts.map(|part| f64::from(part) / 255.0);
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let spread = most - least;
    if spread < 0.06 {
        return "hue-grey";
    }
    let sixth = if most == red {
        ((green - blue) / spread).rem_euclid(6.0)
    } else if most == green {
        (blue - red) / spread + 2.0
    } else {
        (red - green) / spread + 4.0
    };
    HUES[(sixth * 2.0).round() as usize % 12]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_brought_to_the_nearest_hue() {
        let class = |text: &str| hue_class(Some(text.parse().unwrap()));
        assert_eq!(["#ff0000", "#00ff00", "#0000ff"].map(class), ["hue-0", "hue-4", "hue-8"]);
        assert_eq!(
            ["#ffff00", "#ff0010", "#7aa2f7", "#888888"].map(class),
            ["hue-2", "hue-0", "hue-7", "hue-grey"]
        );
        assert_eq!(hue_class(None), "hue-none");
    }

    #[test]
    fn what_should_have_been_told_by_now_is_not_known() {
        let working = Compartment {
            status: CompartmentStatus::Working,
            working_until: Some(Timestamp(10)),
            ..Compartment::default()
        };
        assert_eq!(compartment_state(&working, Timestamp(10)).word, "working");
        assert_eq!(compartment_state(&working, Timestamp(11)).word, "unknown");
    }
}
