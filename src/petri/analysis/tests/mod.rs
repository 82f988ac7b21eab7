//! The rules of the analysis, as tests.
