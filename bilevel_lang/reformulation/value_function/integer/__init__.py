"""The value-function method for mixed-integer linear followers behind integer linking variables: exact."""
