// SPDX-License-Identifier: MIT OR Apache-2.0
// As an editor or `cargo check` does it: metadata only, then the full build.
// run: rustc -C incremental=inc --crate-type lib --emit metadata --error-format=json --json=artifacts incremental-check.rs
// run: rustc -C incremental=inc --crate-type lib --emit metadata --error-format=json --json=artifacts incremental-check.rs
// run: rustc -C incremental=inc --crate-type lib --cfg more --emit metadata,link --error-format=json --json=artifacts incremental-check.rs
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Record {
    name: String,
    tags: Vec<(u8, Option<Box<Record>>)>,
}

#[cfg(more)]
impl Record {
    pub fn depth(&self) -> usize {
        self.tags.iter().filter_map(|(_, r)| r.as_ref()).map(|r| r.depth() + 1).max().unwrap_or(0)
    }
}

fn unused_here() {}
