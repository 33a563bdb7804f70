//! Histories that are known to be bad, each with the rule that it breaks.
