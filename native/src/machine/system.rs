//! What the operating system says about this machine and this process.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The version of Burn, as pinned in the workspace.
pub const BURN_VERSION: &str = "0.22.1";

/// The processor's own name.
pub fn cpu_name() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    field(&info, "model name").map_or_else(|| std::env::consts::ARCH.to_owned(), str::to_owned)
}

/// The most memory this process has used so far, in bytes; `None` where the system does not say.
pub fn peak_memory() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM")
}

/// Total and available memory of the machine, in bytes.
pub fn memory() -> Option<(u64, u64)> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    Some((kibibytes(&info, "MemTotal")?, kibibytes(&info, "MemAvailable")?))
}

/// Memory that this process can still have.
#[derive(Clone, Copy, Debug)]
pub struct Free {
    pub bytes: u64,
    /// What has no more.
    pub limit: &'static str,
}

impl Free {
    /// The least of what the machine, the control group and the limit on addresses leave.
    pub fn now() -> Option<Self> {
        let machine = memory().map(|(_, bytes)| Self { bytes, limit: "this machine" });
        let group = free_in_group().map(|bytes| Self { bytes, limit: "the control group" });
        let addresses = free_addresses().map(|bytes| Self { bytes, limit: "ulimit -v" });
        [machine, group, addresses].into_iter().flatten().min_by_key(|free| free.bytes)
    }
}

/// What `memory.max` of this process's control group (version 2) leaves; pages of files do not count, as
/// they make room.
fn free_in_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let folder = Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/'));
    let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let number = |name: &str| text(name)?.trim().parse::<u64>().ok();
    let stat = text("memory.stat").unwrap_or_default();
    let files = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse().ok());
    let used = number("memory.current")?.saturating_sub(files.unwrap_or(0));
    Some(number("memory.max")?.saturating_sub(used))
}

/// What `ulimit -v` leaves.
fn free_addresses() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    let used = kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmSize")?;
    Some(limit.saturating_sub(used))
}

/// `time` as `2026-11-23T07:35:00Z`.
pub fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The Gregorian date `days` after 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The value behind `name:` in a file such as `/proc/meminfo`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let number = field(text, name)?.strip_suffix("kB")?.trim();
    Some(number.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let at = |seconds| utc(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_795_419_300), "2026-11-23T07:35:00Z");
    }

    #[test]
    fn proc_fields() {
        assert_eq!(kibibytes("VmPeak:\t 9 kB\nVmHWM:\t  2048 kB\n", "VmHWM"), Some(2 << 20));
        assert_eq!(kibibytes("nothing", "VmHWM"), None);
    }

    #[test]
    fn burn_version_is_the_locked_one() {
        let lock = include_str!("../../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"burn\"\nversion = \"{BURN_VERSION}\"")));
    }
}
