"""A message's way to its next hop: SMTP and LMTP through pooled connections, or into a Maildir.

A *hop* is asked for a *delivery*, one for each transaction:

    delivery = hop.deliver(mail, client, accepted, lacking)
    delivery.rcpt(recipient, then)       # asked of the next hop now; `then(Answer)` comes back later or at once
    delivery.send(prefix, spool, observer) # all of it, once; `observer.outcome(Outcome)`
    delivery.abandon()                   # no more is wanted: nothing of it stays at the next hop

What the hop last offered (`hop.offers`) is what a listener may offer in its turn.
"""
