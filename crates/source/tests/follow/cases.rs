//! One kind of rotation each.
