"""RFC 5322 over bytes: it keeps what it cannot parse, and repairs nothing."""
