"""Facts -> Plan."""
