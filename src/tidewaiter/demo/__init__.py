"""What is SMTP smuggling, and does the gateway stop it?  Shown with real programs over real sockets.

- `receiver` is a lenient mail server, aiosmtpd 1.4.4, in a process of its own; `sender` is curl, which passes odd bytes
  on; `stage` boots them, and the gateway as `tidewaiter run` between them, on loopback ports that the kernel chose.
- `content` and `dialogue` send the catalogue's vectors, `honest` sends honest mail.
- `judge` compares what the receiver kept with what the vectors say, typed by hand.
  It imports nothing of the gateway, its reader or its writer.
"""
