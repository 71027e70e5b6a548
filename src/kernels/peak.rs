//! What the machine can do at best, to compare a run with.

use std::time::{Duration, Instant};

use super::linear::{Arithmetic, LinearBuilder, WeightRun};

/// 10^9 operations a second in products of 128 by 512 with 512 by 2048 values, by `threads` threads that each do
/// their own; 0 where it can't be measured.
pub fn matrix_peak(arithmetic: Arithmetic, threads: usize) -> f64 {
    const SHAPE: (usize, usize, usize) = (128, 512, 2048);
    const LONG_ENOUGH: Duration = Duration::from_millis(300);
    let (rows, inputs, outputs) = SHAPE;
    let mut layer = LinearBuilder::new(arithmetic, inputs);
    layer.extend(WeightRun::F32(vec![1.0; outputs * inputs].into()));
    let Ok(layer) = layer.finish(None) else { return 0.0 };
    let values = vec![0.5; rows * inputs];
    let work = || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        let mut out = vec![0.0; rows * outputs];
        let mut products = 0u64;
        let started = Instant::now();
        while started.elapsed() < LONG_ENOUGH && layer.forward_into(&values, &mut out).is_ok() {
            products += 1;
        }
        drop(pool);
        products as f64 / started.elapsed().as_secs_f64()
    };
    let rate: f64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).sum()
    });
    rate * 2.0 * (rows * inputs * outputs) as f64 / 1e9
}
