pub mod petri;
