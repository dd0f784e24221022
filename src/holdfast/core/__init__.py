"""What exists: records, provenance, data sets, verdicts, settings, runs, the engine, text, plug-ins, errors."""
