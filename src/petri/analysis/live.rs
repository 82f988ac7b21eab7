//! Liveness on a finite, completely explored state space.
//!
//! A net is live exactly if every terminal strongly connected component (one that cannot be left) fires every transition. The components
//! are found by Tarjan's algorithm. Edges are not stored: successors are fired and looked up again.

use super::budget::{Deadline, Resource};
use super::packing::Packing;
use super::store::Store;

/// Bytes that the search needs per marking at most: its number, and the stack, path and numbers, which grow by doubling.
const BYTES: usize = 4 + 2 * (4 + 12 + 4);
const LOOK: u32 = 1 << 12;
const DONE: u32 = u32::MAX;

struct Frame {
    state: u32,
    /// The next transition to try.
    next: u32,
    /// Some edge of the component leads out of it, as far as seen from here.
    leaves: bool,
}

/// Whether every transition can always fire again. `store` must hold all reachable markings; `memory` is what is left beside it.
pub fn is_live(
    store: &Store,
    packing: &Packing,
    transitions: usize,
    memory: usize,
    deadline: &Deadline<'_>,
) -> Result<bool, Resource> {
    let states = store.len() as usize;
    if states.saturating_mul(BYTES) > memory {
        return Err(Resource::Memory);
    }
    // 0: not visited. Else the lowest visiting number known to be reachable, or `DONE`.
    let mut low = vec![0u32; states];
    let mut stack: Vec<u32> = Vec::new();
    let mut path: Vec<Frame> = Vec::new();
    // Visiting numbers of the path's states, beside their lows.
    let mut numbers: Vec<u32> = Vec::new();
    let mut visited = 0u32;
    let mut successor = vec![0; packing.words()];
    let mut fires = vec![false; transitions];
    let mut steps = 0u32;

    let enter = |state: u32,
                 visited: &mut u32,
                 low: &mut [u32],
                 stack: &mut Vec<u32>,
                 path: &mut Vec<Frame>,
                 numbers: &mut Vec<u32>| {
        *visited += 1;
        low[state as usize] = *visited;
        stack.push(state);
        path.push(Frame { state, next: 0, leaves: false });
        numbers.push(*visited);
    };
    enter(0, &mut visited, &mut low, &mut stack, &mut path, &mut numbers);
    while let Some(frame) = path.last_mut() {
        steps = steps.wrapping_add(1);
        if steps.is_multiple_of(LOOK) && deadline.passed() {
            return Err(Resource::Time);
        }
        let (state, marking) = (frame.state, store.get(frame.state));
        let mut descend = None;
        while (frame.next as usize) < transitions {
            let t = frame.next as usize;
            frame.next += 1;
            if !packing.is_enabled::<0>(marking, t) {
                continue;
            }
            packing.fire::<0>(marking, t, &mut successor);
            // All reachable markings are stored, so it is found.
            let Some(to) = store.find(&successor) else { continue };
            match low[to as usize] {
                0 => {
                    descend = Some(to);
                    break;
                }
                DONE => frame.leaves = true,
                known => low[state as usize] = low[state as usize].min(known),
            }
        }
        if let Some(to) = descend {
            enter(to, &mut visited, &mut low, &mut stack, &mut path, &mut numbers);
            continue;
        }
        let (Some(frame), Some(number)) = (path.pop(), numbers.pop()) else { break };
        let reaches = low[frame.state as usize];
        if reaches < number {
            // Part of its parent's component.
            if let Some(parent) = path.last_mut() {
                parent.leaves |= frame.leaves;
                low[parent.state as usize] = low[parent.state as usize].min(reaches);
            }
            continue;
        }
        // The root of a component: it is the top of the stack.
        if !frame.leaves {
            fires.fill(false);
        }
        while let Some(member) = stack.pop() {
            low[member as usize] = DONE;
            if !frame.leaves {
                let marking = store.get(member);
                for (t, fires) in fires.iter_mut().enumerate() {
                    *fires = *fires || packing.is_enabled::<0>(marking, t);
                }
            }
            if member == frame.state {
                break;
            }
        }
        if !frame.leaves && fires.contains(&false) {
            return Ok(false);
        }
        if let Some(parent) = path.last_mut() {
            parent.leaves = true;
        }
    }
    Ok(true)
}
