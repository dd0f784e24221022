"""Programs that nobody trusts, run where they can do no harm.

A warm process (`zygote`) forks once per program; the fork drops every privilege (`floor`), runs the program
(`candidate`) and sends plain data (`plain`) back to the verifier's process (`pool`), which alone knows the expected
values. docs/sandbox.md says what this stops and what it does not.
"""
