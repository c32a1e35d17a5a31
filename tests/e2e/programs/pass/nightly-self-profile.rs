// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// The compiler's own profiler runs at the same time; its file is named by a process id and holds times.
// run: rustc -Zself-profile=own nightly-self-profile.rs && ls own | sed 's/[0-9]*\.mm/PID.mm/'; rm -r own
fn main() {
    println!("{}", 1);
}
