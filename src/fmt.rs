//! A few log messages, through `defmt` or `log`, both, or neither.
//!
//! `warn`: a connection ends through a fault of the server or the link. `info`: a connection begins or ends. `debug`: actions that a timer
//! triggers.

/// Defines a macro for each level. Arguments must implement both `Display` and `defmt::Format`, and be free to evaluate.
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
