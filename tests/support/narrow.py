"""A patch of the served process: students may send two ops together and then one in ten seconds, and six may come."""

from classrooms import budget, hub

budget.LEAST = budget.MOST = 0.1
hub.HELLOS = (0.01, 6)
