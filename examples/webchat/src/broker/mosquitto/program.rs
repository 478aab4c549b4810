//! Finds Mosquitto.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The path of Mosquitto on this machine.
pub fn find() -> Option<PathBuf> {
    find_in(&env::var_os("PATH").unwrap_or_default())
}

/// Debian and Homebrew install it in the folder `sbin` next to `bin`, which only root's `PATH` includes.
fn find_in(path: &OsStr) -> Option<PathBuf> {
    let bins: Vec<PathBuf> = env::split_paths(path).collect();
    let sbins = bins.iter().filter(|dir| dir.ends_with("bin")).map(|bin| bin.with_file_name("sbin"));
    bins.iter().cloned().chain(sbins).map(|dir| dir.join("mosquitto")).find(|file| Path::is_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn looks_beside_the_path_too() {
        let dir =
            env::temp_dir().join(format!("webchat-{}", crate::secret::random().expect("random numbers")));
        let (bin, sbin) = (dir.join("bin"), dir.join("sbin"));
        fs::create_dir_all(&sbin).expect("a folder");
        fs::create_dir(&bin).expect("a folder");
        assert_eq!(find_in(bin.as_os_str()), None);
        fs::write(sbin.join("mosquitto"), "").expect("a file");
        assert_eq!(find_in(bin.as_os_str()), Some(sbin.join("mosquitto")));
        assert_eq!(find_in(sbin.as_os_str()), Some(sbin.join("mosquitto")));
        assert_eq!(find_in(dir.as_os_str()), None);
        assert_eq!(find_in(OsStr::new("")), None);
        fs::remove_dir_all(dir).expect("it goes");
    }
}
