"""The tests: each folder mirrors one of src/tidewaiter; peers/ boots real mail programs."""
