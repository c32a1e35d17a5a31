// SPDX-License-Identifier: MIT OR Apache-2.0
// writer FILE: writes a small profile with libmmprofdata from Rust.
//
//     rustc writer.rs $(pkg-config --libs mmprofdata) -o writer
//     ./writer example.mm_profdata && querytap summarize example

use std::ffi::{c_char, c_int, CStr, CString};
use std::ptr;

#[repr(C)]
struct Writer {
    _private: [u8; 0],
}

#[repr(C)]
struct Error {
    text: [c_char; 512],
}

#[repr(C)]
struct Timing {
    kind: u64,
    id: u64,
    thread: u32,
    start: u64,
}

extern "C" {
    fn mmp_writer_create(path: *const c_char, options: *const u8, writer: *mut *mut Writer, err: *mut Error) -> c_int;
    fn mmp_alloc_string(writer: *mut Writer, text: *const u8, size: usize, id: *mut u64, err: *mut Error) -> c_int;
    fn mmp_start(writer: *const Writer, kind: u64, id: u64, thread: u32) -> Timing;
    fn mmp_finish(writer: *mut Writer, timing: *const Timing, err: *mut Error) -> c_int;
    fn mmp_writer_finish(writer: *mut Writer, metadata: *const c_char, err: *mut Error) -> c_int;
    fn mmp_writer_abort(writer: *mut Writer);
}

fn check(rc: c_int, err: &Error) -> Result<(), String> {
    match rc {
        0 => Ok(()),
        _ => Err(unsafe { CStr::from_ptr(err.text.as_ptr()) }.to_string_lossy().into_owned()),
    }
}

/// A profile being written; without `finish` it goes away with its file. All but `finish` may be called from many
/// threads at once.
struct Profiler(*mut Writer);

unsafe impl Send for Profiler {}
unsafe impl Sync for Profiler {}

impl Profiler {
    fn new(path: &str) -> Result<Self, String> {
        let path = CString::new(path).map_err(|e| e.to_string())?;
        let (mut writer, mut err) = (ptr::null_mut(), Error { text: [0; 512] });
        check(unsafe { mmp_writer_create(path.as_ptr(), ptr::null(), &mut writer, &mut err) }, &err)?;
        Ok(Profiler(writer))
    }

    fn string(&self, text: &str) -> Result<u64, String> {
        let (mut id, mut err) = (0, Error { text: [0; 512] });
        check(unsafe { mmp_alloc_string(self.0, text.as_ptr(), text.len(), &mut id, &mut err) }, &err)?;
        Ok(id)
    }

    /// Times from here to where the guard is dropped.
    fn start(&self, kind: u64, id: u64, thread: u32) -> Guard<'_> {
        Guard { profiler: self, timing: unsafe { mmp_start(self.0, kind, id, thread) } }
    }

    fn finish(mut self) -> Result<(), String> {
        let (writer, mut err) = (std::mem::replace(&mut self.0, ptr::null_mut()), Error { text: [0; 512] });
        check(unsafe { mmp_writer_finish(writer, ptr::null(), &mut err) }, &err)
    }
}

impl Drop for Profiler {
    fn drop(&mut self) {
        unsafe { mmp_writer_abort(self.0) }
    }
}

struct Guard<'p> {
    profiler: &'p Profiler,
    timing: Timing,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // A failed write is what finish reports as well.
        unsafe { mmp_finish(self.profiler.0, &self.timing, ptr::null_mut()) };
    }
}

fn main() -> Result<(), String> {
    let profiler = Profiler::new(&std::env::args().nth(1).ok_or("usage: writer FILE")?)?;
    let kind = profiler.string("GenericActivity")?;
    let bake = profiler.string("bake")?;
    std::thread::scope(|scope| {
        for thread in 1..=3 {
            let profiler = &profiler;
            scope.spawn(move || {
                let _guard = profiler.start(kind, bake, thread);
                println!("baking...");
            });
        }
    });
    profiler.finish()
}
