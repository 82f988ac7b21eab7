//! The two ways to build: soon, and well.

/// Which Cargo profiles to use and how hard to squeeze the frontend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// Assertions on, no LTO, files served from disk: `run`, `test`, `e2e`.
    Quick,
    /// What is deployed: everything embedded and as small as it gets.
    Release,
}

impl Profile {
    pub fn from_release_flag(release: bool) -> Self {
        if release { Self::Release } else { Self::Quick }
    }

    /// Cargo profile of the server, the worker and the tests.
    pub fn native(self) -> &'static str {
        match self {
            Self::Quick => "e2e",
            Self::Release => "release",
        }
    }

    /// Cargo profile of the frontend.
    pub fn wasm(self) -> &'static str {
        match self {
            Self::Quick => "e2e",
            Self::Release => "wasm-release",
        }
    }

    /// 0 to 11.
    pub fn brotli_quality(self) -> u32 {
        match self {
            Self::Quick => 5,
            Self::Release => 11,
        }
    }

    /// 0 to 9.
    pub fn gzip_level(self) -> u32 {
        match self {
            Self::Quick => 4,
            Self::Release => 9,
        }
    }
}
