//! A few lines of log, through `defmt` and `log`, or both, or neither.
//!
//! `warn`: a connection ends by the fault of the server or the link. `info`: a connection begins or ends. `debug`: what time brings about.

/// A macro for each level. Arguments have both `Display` and `defmt::Format`, and cost nothing to evaluate.
macro_rules! levels {
    ($dollar:tt $($level:ident)*) => {$(
        macro_rules! $level {
            ($dollar text:literal $dollar(, $dollar value:expr)*) => {{
                #[cfg(feature = "defmt")]
                ::defmt::$level!($dollar text $dollar(, $dollar value)*);
                #[cfg(feature = "log")]
                ::log::$level!($dollar text $dollar(, $dollar value)*);
                #[cfg(not(any(feature = "defmt", feature = "log")))]
                {
                    $dollar(let _ = &$dollar value;)*
                }
            }};
        }
    )*};
}

levels!($ debug info warn);
