//! Whole simulations, and the checker on histories that are known to be good or bad.
