//! The random numbers that numpy draws with sacreBLEU's seed, so that resamples are the same.

/// numpy's `default_rng(12345)`: PCG64, the permuted congruential generator XSL RR 128/64 (O'Neill, 2014).
pub(super) struct Rng {
    state: u128,
    /// The upper half of the last number, where only the lower one has been used.
    half: Option<u32>,
}

const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// What `SeedSequence(12345).generate_state(4, uint64)` gives in numpy: a first state and a stream.
const SEEDED: (u128, u128) = (0xb5ae_6482_a03d_837c_bbe2_996f_fa1f_7a2f, 0x64e3_9a9f_3715_8f94_3ebb_0f96_a013_fd73);
const INCREMENT: u128 = SEEDED.1 << 1 | 1;

impl Rng {
    /// With seed 12345.
    pub(super) fn new() -> Self {
        let mut rng = Self { state: SEEDED.0.wrapping_add(INCREMENT), half: None };
        rng.step();
        rng
    }

    /// A number below `bound`, which must be above 0; all are as likely (Lemire, 2019).
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        // Where there is one number alone, numpy draws none.
        if bound == 1 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.next()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    fn next(&mut self) -> u32 {
        if let Some(half) = self.half.take() {
            return half;
        }
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        let number = folded.rotate_right((self.state >> 122) as u32);
        self.half = Some((number >> 32) as u32);
        number as u32
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    /// `numpy.random.default_rng(12345).choice(bound, size=8)` of numpy 2.4.6.
    #[test]
    fn draws_what_numpy_draws() {
        let draw = |bound| {
            let mut rng = Rng::new();
            [(); 8].map(|()| rng.below(bound))
        };
        assert_eq!(draw(1012), [707, 230, 798, 320, 206, 806, 650, 684]);
        assert_eq!(draw(1), [0; 8]);
        assert_eq!(
            draw(3_000_000_000),
            [2097645094, 682008066, 2365940964, 950275018, 2392096371, 2028764011, 2518275128, 1794926260]
        );
    }
}
