//! A node is cut off: offline, its work unknown, then elsewhere, once; the
//! node that returns refuses what is older.
