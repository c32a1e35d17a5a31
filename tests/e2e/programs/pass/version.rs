// SPDX-License-Identifier: MIT OR Apache-2.0
// Not one query runs.
// run: rustc -vV
// run: rustc --version
// run: rustc --help
// run: rustc -C help
// run: rustc -W help
// run: rustc --explain E0308
// run: rustc
