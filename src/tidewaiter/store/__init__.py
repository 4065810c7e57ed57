"""What Tidewaiter remembers on disk: the record of transactions and refusals. The only SQL."""
