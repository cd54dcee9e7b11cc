"""The harness: real servers, real clients, a proxy that misbehaves, and the cast."""
