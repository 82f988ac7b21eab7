//! Generated nets and our own: they are what their descriptions say, at every size.

use super::read;
use crate::petri::analysis::{Budget, Verdict, Verdicts, analyse};
use crate::petri::generate::Family;
use crate::petri::net::PetriNet;
use crate::petri::pnml::{self, Limits};
use crate::petri::samples::sample;

fn verdicts(net: &PetriNet) -> Verdicts {
    analyse(net, &Budget::of_memory(64 << 20)).verdicts
}

fn of_sample(id: &str) -> PetriNet {
    read(sample(id).expect("a sample").pnml).expect("reads")
}

#[test]
fn small_ones_do_what_their_family_says() {
    for family in Family::ALL {
        for size in [1, 2, 3, 4] {
            let said = verdicts(&family.net(size));
            let (live, one_safe) = match family {
                Family::Philosophers => (false, true),
                Family::Locks => (size < 2, true),
                Family::ProducerConsumer => (true, size < 2),
                Family::Kanban => (true, false),
                Family::ReadersWriters => (true, size < 2),
                Family::Machines => {
                    assert_eq!(said.one_safe, Verdict::Decided(true), "machines-{size}");
                    continue;
                }
            };
            assert_eq!(said.live, Verdict::Decided(live), "{family:?} {size}");
            assert_eq!(said.deadlock, Verdict::Decided(!live), "{family:?} {size}");
            assert_eq!(said.one_safe, Verdict::Decided(one_safe), "{family:?} {size}");
        }
    }
}

#[test]
fn our_own_nets_are_small_ones_of_their_family() {
    for (id, family, size) in [
        ("dining-philosophers", Family::Philosophers, 5),
        ("kanban", Family::Kanban, 3),
        ("two-locks", Family::Locks, 2),
    ] {
        let (own, generated) = (of_sample(id), family.net(size));
        assert_eq!(own.size(), generated.size(), "{id}");
        assert_eq!(verdicts(&own), verdicts(&generated), "{id}");
    }
    let said = verdicts(&of_sample("readers-writers"));
    // Nobody writes: 0 to 5 read. Or one of two equal writers writes.
    assert_eq!((said.states, said.live), (Verdict::Decided(7), Verdict::Decided(true)));
    assert_eq!(verdicts(&of_sample("producer-consumer")).live, Verdict::Decided(true));
    let locks = analyse(&of_sample("two-locks"), &Budget::of_memory(64 << 20));
    assert_eq!(locks.deadlock_path.map(|path| path.len()), Some(2));
}

#[test]
fn a_net_has_at_least_the_nodes_asked_for_is_made_the_same_again_and_can_be_kept_in_a_file() {
    for family in Family::ALL {
        let net = family.of_nodes(2_000);
        let nodes = net.places.len() + net.transitions.len();
        assert!((2_000..2_500).contains(&nodes), "{family:?}: {nodes}");
        assert_eq!(net, family.of_nodes(2_000));
        assert_eq!(pnml::read(pnml::write(&net).as_bytes(), &Limits::default()).as_ref(), Ok(&net));
        assert_eq!(Family::by_name(family.name()), Some(family));
    }
    assert_eq!(Family::by_name("none"), None);
}
