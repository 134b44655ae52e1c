"""What can be wrong around a spec: versions, installations, locks. Looks, and changes nothing."""
