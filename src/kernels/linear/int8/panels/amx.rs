//! Products of whole matrices in tile registers (Intel AMX: 16 rows of 64 bytes each).
//!
//! `core::arch` has these instructions on nightly compilers alone, hence the assembly. The compiler itself never uses
//! tile registers.

use std::arch::asm;
use std::arch::x86_64::*;
use std::ops::Range;
use std::sync::LazyLock;

use super::Int8Panels;
use crate::kernels::linear::int8::rows::{ALIGNMENT, GROUP, ROWS, Rows};
use crate::kernels::linear::panels::{self, HALF, Kernel, Line, Outputs, WIDTH, tiles};

/// Whether the processor has tile registers for integers and the system lets this process use them.
pub(super) fn available() -> bool {
    static AVAILABLE: LazyLock<bool> = LazyLock::new(|| panels::have_avx512() && has_tiles() && permitted());
    *AVAILABLE
}

fn has_tiles() -> bool {
    const TILE: u32 = 1 << 24;
    const INT8: u32 = 1 << 25;
    __cpuid_count(0, 0).eax >= 7 && __cpuid_count(7, 0).edx & (TILE | INT8) == TILE | INT8
}

/// Asks the system for the tile registers' state, which a process doesn't have unless it asks (Linux: Documentation/arch/
/// x86/xstate.rst).
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_int = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_ulong = 18;
    // SAFETY: the call takes two numbers and touches no memory of this process.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

/// The shapes of the tile registers.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    /// Bytes of a row.
    columns: [u16; 16],
    rows: [u8; 16],
}

/// Every register whole.
const WHOLE: Shapes = Shapes {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    columns: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Holds the tile registers of a thread.
struct Tiles;

impl Tiles {
    fn configure() -> Self {
        // SAFETY: the caller has checked that the registers may be used.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &WHOLE, options(nostack, readonly)) };
        Self
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

pub(super) struct Amx<'a> {
    pub(super) layer: &'a Int8Panels,
    pub(super) rows: &'a Rows,
}

/// The sums of a tile of rows, left and right half of a panel.
#[repr(C, align(64))]
struct Sums([[[i32; HALF]; 2]; TILE]);

/// Rows that go through a panel at a time.
const TILE: usize = 2 * ROWS;

impl Kernel for Amx<'_> {
    type Weight = [i8; GROUP];

    fn multiply(&self, panels: Range<usize>, rows: Range<usize>, mut out: Outputs) {
        assert!(available(), "this processor has no AMX, or the system withholds it");
        let _tiles = Tiles::configure();
        // Sums leave the tile registers through memory, where they settle while the next ones are made.
        let mut buffers = [const { Sums([[[0; HALF]; 2]; TILE]) }; 2];
        let [mut settling, mut fresh] = buffers.each_mut();
        let mut pending: Option<(usize, Range<usize>)> = None;
        let mut finish = |(place, tile): (usize, Range<usize>), sums: &Sums| {
            let (panel, first) = (panels.start + place, rows.start + tile.start);
            // SAFETY: the processor was checked above.
            unsafe { self.finish(panel, first, sums, out.tile(place, tile)) };
        };
        for place in 0..panels.len() {
            for tile in tiles(rows.len(), TILE) {
                self.sum(panels.start + place, rows.start + tile.start, tile.len(), fresh);
                if let Some(pending) = pending.replace((place, tile)) {
                    finish(pending, settling);
                }
                std::mem::swap(&mut fresh, &mut settling);
            }
        }
        if let Some(pending) = pending {
            finish(pending, settling);
        }
    }
}

impl Amx<'_> {
    /// Sums of the products of `count` rows, at most `TILE`, with a panel.
    #[inline(always)]
    fn sum(&self, panel: usize, first: usize, count: usize, sums: &mut Sums) {
        let (weights, width) = (self.layer.panels.panel(panel), self.rows.width);
        let values = &self.rows.values()[first * width..];
        // SAFETY: `multiply`, which alone leads here, has configured the tile registers.
        unsafe {
            if count > ROWS {
                multiply_two(&values[..TILE * width], width, weights, sums);
            } else {
                multiply_one(&values[..ROWS * width], width, weights, sums);
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn finish<'o>(&self, panel: usize, first: usize, sums: &Sums, out: impl Iterator<Item = &'o mut [f32]>) {
        // SAFETY: half a row of sums is a register.
        let load = |half: &[i32; HALF]| unsafe { _mm512_load_si512(half.as_ptr().cast()) };
        let sums = sums.0.iter().map(|[left, right]| [load(left), load(right)]);
        self.layer.finish(panel, self.rows, first, sums, out);
    }
}

/// Bytes of a line of a panel, and of a row of [`Sums`].
const STRIDE: usize = 4 * WIDTH;
/// Bytes of the lines that are multiplied at a time.
const STEP: usize = STRIDE * ALIGNMENT / GROUP;

/// Sums of the products of two tiles of rows with a panel.
///
/// # Safety
/// The thread's tile registers are whole; there are `2 * ROWS` rows of `width` bytes, a multiple of 64, and `width / 4` lines.
unsafe fn multiply_two(rows: &[u8], width: usize, weights: &[Line<[i8; GROUP]>], sums: &mut Sums) {
    let sums = sums.0.as_mut_ptr();
    // SAFETY: as the caller promises; every address lies within the slices.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "2:",
            "tileloadd tmm4, [{upper} + {width}]",
            "tileloadd tmm6, [{weights} + {stride}]",
            "tdpbusd tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{weights} + {stride} + 64]",
            "tdpbusd tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{lower} + {width}]",
            "tdpbusd tmm2, tmm5, tmm6",
            "tdpbusd tmm3, tmm5, tmm7",
            "add {upper}, 64",
            "add {lower}, 64",
            "add {weights}, {step}",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{sums} + {stride}], tmm0",
            "tilestored [{sums} + {stride} + 64], tmm1",
            "tilestored [{sums_lower} + {stride}], tmm2",
            "tilestored [{sums_lower} + {stride} + 64], tmm3",
            upper = inout(reg) rows.as_ptr() => _,
            lower = inout(reg) rows.as_ptr().add(ROWS * width) => _,
            weights = inout(reg) weights.as_ptr() => _,
            steps = inout(reg) width / ALIGNMENT => _,
            width = in(reg) width,
            stride = in(reg) STRIDE,
            step = const STEP,
            sums = in(reg) sums,
            sums_lower = in(reg) sums.add(ROWS),
            options(nostack),
        );
    }
}

/// [`multiply_two`] for a single tile, `ROWS` rows.
///
/// # Safety
/// As there.
unsafe fn multiply_one(rows: &[u8], width: usize, weights: &[Line<[i8; GROUP]>], sums: &mut Sums) {
    // SAFETY: as the caller promises; every address lies within the slices.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "2:",
            "tileloadd tmm4, [{rows} + {width}]",
            "tileloadd tmm6, [{weights} + {stride}]",
            "tdpbusd tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{weights} + {stride} + 64]",
            "tdpbusd tmm1, tmm4, tmm7",
            "add {rows}, 64",
            "add {weights}, {step}",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{sums} + {stride}], tmm0",
            "tilestored [{sums} + {stride} + 64], tmm1",
            rows = inout(reg) rows.as_ptr() => _,
            weights = inout(reg) weights.as_ptr() => _,
            steps = inout(reg) width / ALIGNMENT => _,
            width = in(reg) width,
            stride = in(reg) STRIDE,
            step = const STEP,
            sums = in(reg) sums.0.as_mut_ptr(),
            options(nostack),
        );
    }
}
