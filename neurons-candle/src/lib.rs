//! neurons-candle
