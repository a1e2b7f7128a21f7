// Package commons reads what a scheduler of DC/OS Commons, the predecessor, keeps in ZooKeeper, so
// that its service can be taken over. It never writes there.
//
//	/dcos-service-<name>           "/" of the name as "__"
//	  servicename                  the name in clear
//	  SchemaVersion                1: one service
//	  FrameworkID                  protobuf
//	  ConfigTarget                 the id of a configuration
//	  Configurations/<id>          JSON
//	  Tasks/<task>/TaskInfo        protobuf; TaskStatus as well
//	  Tasks/<task>/Metadata/…      goal-state-override, override-status
//	  Properties/<key>             uninstalling, last-completed-update-type,
//	                               <task>:task-status, file-<name>
//	  lock/leases/<ephemeral>      as long as its scheduler runs
//
// # Non-obvious
//
// Nodes that were made on the way to others hold the address of the scheduler's host: what is no
// leaf says nothing. Two statuses of a task are stored; the one among the properties is the latest
// that had an address. Plans are not stored at all.
//
// Tested with trees that were recorded of the predecessor at different moments.
package commons
