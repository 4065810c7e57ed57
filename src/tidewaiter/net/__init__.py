"""The drivers: what stands between the loop and the parts that know no sockets."""
