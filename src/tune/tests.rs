//! Models against hand-computed cases and against chance, and what simulations say of what was predicted.
