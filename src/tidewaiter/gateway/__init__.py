"""The program that carries mail: which processes there are, and how they talk.

    supervisor ── holds every socket, starts the others, restarts those that die; no event loop
     ├─ worker 0 … N-1   carry mail; each has its own SO_REUSEPORT socket for every address
     └─ clerk            alone writes the store; serves /metrics, /livez, /readyz

Rooms: `mail` carries it from the greeting to the last reply, `record` remembers, logs and counts, `processes` starts
and ends them and holds what they share, `host` is what the machine gives. `composition` puts a worker together.

A child is started by argv (`python -m tidewaiter.gateway.worker JSON`, see `processes.handover`) with open
descriptors, and shares nothing else with its parent. Four things connect them:

- the *link* (`processes.link`), a socket pair between supervisor and child: the child says that it is
  ready and alive, the supervisor says when to drain, and its closing means: leave at once;
- the *outbox* (`record.outbox`), a worker's connection to the clerk: records until they are committed,
  and counters; it never makes mail wait;
- the *connections* map (`processes.connections`) of clients per network, one column for each process;
- the *doubts* file (`processes.doubts`): transactions between their final dot and our reply.
"""
