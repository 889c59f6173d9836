//! Which versions of NVIDIA's parts go together.
//!
//! Burn's kernels are compiled by NVRTC, for the compute capability of the GPU, into PTX, which the driver makes
//! into machine code. So NVRTC must know the GPU, and the driver the PTX that this NVRTC writes. Which
//! version knows which GPU is in the release notes of the CUDA toolkit.

use std::fmt;
use std::path::Path;
use std::process::Command;

/// `12.9`, or `12` where the minor version is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: Option<u32>,
}

const fn version(major: u32, minor: u32) -> Version {
    Version { major, minor: Some(minor) }
}

/// Compute capabilities, each with the first NVRTC that compiles for it.
const FIRST: [(Version, Version); 7] = [
    (version(12, 1), version(12, 9)),
    (version(12, 0), version(12, 8)),
    (version(11, 0), version(13, 0)),
    (version(10, 3), version(12, 9)),
    (version(10, 0), version(12, 8)),
    (version(8, 9), version(11, 8)),
    (version(0, 0), version(11, 1)),
];
/// The first capability that NVRTC 13 still compiles for.
const OLDEST_OF_13: Version = version(7, 5);

impl Version {
    /// The first two numbers of `12.9.86`, or the only one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('.');
        let major = numbers.next()?.parse().ok()?;
        Some(Self { major, minor: numbers.next().and_then(|minor| minor.parse().ok()) })
    }

    /// Whether it is older for sure.
    fn is_before(self, other: Self) -> bool {
        self.major < other.major || (self.minor.is_some() && self < other)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(f, "{}.{minor}", self.major),
            None => write!(f, "{}", self.major),
        }
    }
}

/// What the name of a library's file says: `12.9` of `libnvrtc.so.12`, which leads to `libnvrtc.so.12.9.86`.
pub fn of_library(path: &Path) -> Option<Version> {
    let file = path.canonicalize().ok()?;
    let (_, version) = file.file_name()?.to_str()?.split_once(".so.")?;
    Version::parse(version)
}

/// The newest CUDA that the driver knows, as `nvidia-smi` prints it.
pub fn of_driver() -> Option<Version> {
    let answer = Command::new("nvidia-smi").output().ok().filter(|it| it.status.success())?;
    driver_in(&String::from_utf8_lossy(&answer.stdout))
}

fn driver_in(printed: &str) -> Option<Version> {
    let (_, rest) = printed.split_once("CUDA Version:")?;
    Version::parse(rest.split_whitespace().next()?)
}

fn first_nvrtc(capability: Version) -> Version {
    let known = FIRST.iter().find(|(from, _)| capability >= *from);
    known.map_or(FIRST[FIRST.len() - 1].1, |(_, nvrtc)| *nvrtc)
}

/// What a GPU and a driver ask of NVRTC.
pub fn needs(capability: Version, driver: Option<Version>) -> String {
    let (first, last) = (first_nvrtc(capability), capability.is_before(OLDEST_OF_13));
    let last = if last { ", older than 13.0" } else { "" };
    let driver =
        driver.map_or_else(String::new, |cuda| format!(", no newer than the driver's CUDA {cuda}"));
    format!("compute capability {capability} needs NVRTC {first} or newer{last}{driver}")
}

/// What is wrong, and the remedy, where these cannot work together.
pub fn mismatch(
    capability: Version,
    nvrtc: Version,
    driver: Option<Version>,
) -> Option<(String, String)> {
    let needs = needs(capability, driver);
    let remedy = |wanted: Version| {
        let Version { major, minor } = wanted;
        let minor = minor.unwrap_or_default();
        format!(
            "{needs}: install it (Debian, Ubuntu: NVIDIA's cuda-nvrtc-{major}-{minor}; pip: nvidia-cuda-nvrtc-cu{major}) and put its folder first in LD_LIBRARY_PATH"
        )
    };
    let first = first_nvrtc(capability);
    if nvrtc.is_before(first) {
        let problem =
            format!("NVRTC {nvrtc} is too old for a GPU of compute capability {capability}");
        return Some((problem, remedy(first)));
    }
    if capability.is_before(OLDEST_OF_13) && nvrtc.major >= 13 {
        let problem =
            format!("NVRTC {nvrtc} no longer compiles for compute capability {capability}");
        return Some((problem, remedy(version(12, 9))));
    }
    let driver = driver.filter(|driver| driver.is_before(nvrtc))?;
    let problem = format!("NVRTC {nvrtc} writes code that a driver of CUDA {driver} cannot read");
    Some((problem, format!("update the driver, or: {}", remedy(driver))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(capability: &str, nvrtc: &str, driver: &str) -> Option<String> {
        let [capability, nvrtc] = [capability, nvrtc].map(|text| Version::parse(text).unwrap());
        mismatch(capability, nvrtc, Version::parse(driver)).map(|(problem, _)| problem)
    }

    #[test]
    fn versions_that_go_together() {
        for (capability, nvrtc, driver) in [
            ("9.0", "12.9.86", "12.9"),
            ("9.0", "12.4", "13.0"),
            ("7.5", "13.0", "13.0"),
            ("6.1", "12.9", "12.9"),
            ("12.0", "12.8", "12.8"),
            // The minor version is not known, so nothing is said for sure.
            ("12.0", "12", "12.8"),
            ("9.0", "12.9", ""),
        ] {
            assert_eq!(problem(capability, nvrtc, driver), None, "{capability} {nvrtc} {driver}");
        }
    }

    #[test]
    fn versions_that_do_not() {
        for (capability, nvrtc, driver, says) in [
            ("9.0", "11.7", "12.4", "NVRTC 11.7 is too old for a GPU of compute capability 9.0"),
            ("12.0", "12.6", "12.9", "NVRTC 12.6 is too old"),
            ("11.0", "12", "13.0", "NVRTC 12 is too old"),
            ("6.1", "13.0", "12.9", "NVRTC 13.0 no longer compiles for compute capability 6.1"),
            ("9.0", "12.9", "12.4", "writes code that a driver of CUDA 12.4 cannot read"),
            ("9.0", "13", "12.4", "NVRTC 13 writes code"),
        ] {
            let said = problem(capability, nvrtc, driver).unwrap_or_default();
            assert!(said.contains(says), "{capability} {nvrtc} {driver}: {said}");
        }
    }

    #[test]
    fn what_nvidia_smi_prints() {
        let printed =
            "| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4     |";
        assert_eq!(driver_in(printed), Some(version(12, 4)));
        assert_eq!(driver_in("command not found"), None);
    }
}
