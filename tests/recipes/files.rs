//! Folders in which a document's commands are run as they stand, with the answers that its reader would type.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Running;

/// A folder with the files of one recipe, named as the document names them.
pub(crate) struct Files(PathBuf);

impl Files {
    /// An empty folder for this run of the tests.
    pub(crate) fn new(recipe: &str) -> Self {
        let runs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recipes");
        remove_finished_runs(&runs);
        let folder = runs.join(std::process::id().to_string()).join(recipe);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// A folder within this one.
    pub(crate) fn folder(&self, name: &str) -> Self {
        let folder = self.0.join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.file(name), content).unwrap();
    }

    /// Runs a command line in the folder and returns its output. `answers` is its input.
    ///
    /// A session of its own has no terminal, so that programs which ask for passwords there ask on their input instead.
    pub(crate) fn run(&self, line: &str, answers: &[&str]) -> String {
        let mut shell = Command::new("setsid");
        shell.args(["sh", "-c", line]).current_dir(&self.0).env("LC_ALL", "C");
        let mut running = Running::start(&mut shell);
        answers.iter().for_each(|answer| running.send(&format!("{answer}\n")));
        running.end_input();
        let finished = running.finish();
        assert!(finished.status.success(), "{line}\n{}", finished.text);
        finished.text
    }
}

/// Removes what earlier runs have left, but not what another run uses now.
fn remove_finished_runs(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        if !Path::new("/proc").join(entry.file_name()).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
